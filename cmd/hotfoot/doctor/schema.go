package doctor

import (
	"io/fs"
	"slices"

	"github.com/pressly/goose/v3"

	"hotfoot/migrations"
	"hotfoot/store/postgres"
)

// schema looks at the migrations, and at what only a current schema tells.
func (c *chart) schema(is postgres.Condition) {
	missing, known := 0, int64(0)
	names, _ := fs.Glob(migrations.FS, "*.sql")
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err == nil && !slices.Contains(is.Migrations, version) {
			missing++
		}
		known = max(known, version)
	}
	if missing > 0 {
		c.bad("schema", "hotfoot migrate up", "the database lacks %d of %d migrations", missing, len(names))
		return
	}
	if newest := slices.Max(is.Migrations); newest > known {
		c.ok("schema", "the database is of a newer version, %d; this one serves on it", newest)
	} else {
		c.ok("schema", "all %d migrations are applied", len(names))
	}
	if is.Unpublished > 0 {
		c.warn("announcements", "look whether nodes run and reach Redis; they make it good by themselves",
			"nobody was told of %d changes that are older than a minute", is.Unpublished)
	} else {
		c.ok("announcements", "all changes were told")
	}
	if is.DeadLetters > 0 {
		c.warn("dead letters", "hotfoot deadletters list", "%d batches of positions could not be stored", is.DeadLetters)
	} else {
		c.ok("dead letters", "none")
	}
	switch days := is.PartitionsAheadDays; {
	case days < 0:
		c.warn("partitions", "run a node with the role worker", "there is none for today: each is made when the first position needs it, while others wait")
	case days < 2:
		c.warn("partitions", "run a node with the role worker", "there are %d days ahead of today; workers keep four", days)
	default:
		c.ok("partitions", "%d days ahead", days)
	}
}
