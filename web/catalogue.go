package web

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"sort"
	"strconv"
	"strings"
)

// fallback is the language of readers whose own we do not have.
const fallback = "en"

// catalogue is one language's words. The scripts import the same file.
type catalogue struct {
	Lang     string            `json:"lang"`
	Dir      string            `json:"dir"`
	Messages map[string]string `json:"messages"`
}

// text fills a message's {placeholders} from name, value pairs. A missing message shows its key, which a test forbids.
func (c *catalogue) text(key string, pairs ...string) string {
	message, ok := c.Messages[key]
	if !ok {
		return key
	}
	if len(pairs) == 0 {
		return message
	}
	old := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		old = append(old, "{"+pairs[i]+"}", pairs[i+1])
	}
	return strings.NewReplacer(old...).Replace(message)
}

// count picks a message's form for n; English and German, the languages we have, know one and other.
func (c *catalogue) count(key string, n int, pairs ...string) string {
	form := ".other"
	if n == 1 {
		form = ".one"
	}
	return c.text(key+form, append(pairs, "count", strconv.Itoa(n))...)
}

type languages struct{ byTag map[string]*catalogue }

func loadLanguages(files fs.FS) (*languages, error) {
	names, err := fs.Glob(files, "src/i18n/*.json")
	if err != nil {
		return nil, fmt.Errorf("web: list catalogues: %w", err)
	}
	all := &languages{byTag: map[string]*catalogue{}}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, fmt.Errorf("web: read %s: %w", path.Base(name), err)
		}
		var words catalogue
		if err := json.Unmarshal(raw, &words); err != nil {
			return nil, fmt.Errorf("web: decode %s: %w", path.Base(name), err)
		}
		all.byTag[words.Lang] = &words
	}
	if all.byTag[fallback] == nil {
		return nil, fmt.Errorf("web: no %s catalogue", fallback)
	}
	return all, nil
}

// choose reads an Accept-Language header: highest quality first, a region falls back to its language.
func (l *languages) choose(header string) *catalogue {
	type wish struct {
		tag     string
		quality float64
	}
	var wishes []wish
	// A header is a few dozen bytes; what is longer is not a reader's wish.
	if len(header) > 500 {
		header = ""
	}
	for part := range strings.SplitSeq(header, ",") {
		tag, rest, _ := strings.Cut(part, ";")
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			parsed, err := strconv.ParseFloat(q, 64)
			if err != nil {
				continue
			}
			quality = parsed
		}
		language, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(tag)), "-")
		if quality > 0 && l.byTag[language] != nil {
			wishes = append(wishes, wish{language, quality})
		}
	}
	if len(wishes) == 0 {
		return l.byTag[fallback]
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].quality > wishes[j].quality })
	return l.byTag[wishes[0].tag]
}
