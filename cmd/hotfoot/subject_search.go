package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

// traces are what a person can be known by in what is kept.
//
// Numbers and names of several words are looked for everywhere. What many share (a first name, an address, a place) counts in rows of their own only, which
// have their id.
type traces struct {
	courier tracking.ID
	own     map[string]bool // ids of what is theirs, as text
	known   [][]byte        // in lower case, as they may be written; anywhere
	shared  [][]byte        // likewise; in rows of their own
	numbers [][]byte        // digits alone
	places  map[string]bool // "lat\tlon", as COPY writes them
}

func newTraces(of postgres.Subject) *traces {
	t := &traces{courier: of.Courier, own: map[string]bool{}, places: map[string]bool{}}
	for _, id := range of.Deliveries {
		t.own[id.String()] = true
	}
	if !of.Courier.IsZero() {
		t.own[of.Courier.String()] = true
	}
	for _, word := range of.Words {
		if digits := digitsOf(word); len(digits) >= minDigits {
			t.numbers = append(t.numbers, []byte(digits))
			t.known = append(t.known, written(word)...)
		} else if len(strings.Fields(word)) > 1 {
			t.known = append(t.known, written(word)...)
		} else {
			t.shared = append(t.shared, written(word)...)
		}
	}
	for _, text := range of.Private {
		t.shared = append(t.shared, written(text)...)
	}
	for _, place := range of.Places {
		t.places[number(place[0])+"\t"+number(place[1])] = true
	}
	return t
}

// number writes one as Postgres does.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// written are the ways in which a text may stand: as it is, in COPY's and in JSON's.
func written(text string) [][]byte {
	copied := strings.NewReplacer("\\", `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(text)
	quoted, _ := json.Marshal(text)
	ways := [][]byte{bytes.ToLower([]byte(text))}
	for _, other := range []string{copied, string(quoted[1 : len(quoted)-1])} {
		if lower := bytes.ToLower([]byte(other)); !bytes.Equal(lower, ways[0]) {
			ways = append(ways, lower)
		}
	}
	return ways
}

// goneFrom are the tables in which nothing of a courier may be left, not even their id. Days of positions are tables of their own.
func goneFrom(table string) bool {
	return table == "position_sessions" || table == "dead_letters" || strings.HasPrefix(table, "positions_2")
}

// inRow says what of the person a row of a dump has; "" for nothing.
func (t *traces) inRow(table string, row []byte) string {
	if !t.courier.IsZero() && goneFrom(table) && (bytes.Contains(row, []byte(t.courier.String())) || bytes.Contains(row, fmt.Appendf(nil, "%x", t.courier[:]))) {
		return "the courier's id"
	}
	fields := strings.Split(strings.TrimSuffix(string(row), "\n"), "\t")
	if what := t.inText(row, func() bool { return t.owns(fields) }); what != "" {
		return what
	}
	// Elsewhere a place may be anybody's: that of a door, or of another courier who was there.
	if t.courier.IsZero() && t.owns(fields) || !t.courier.IsZero() && table != "deliveries" && !strings.HasPrefix(table, "positions_2") {
		for i := 1; i < len(fields); i++ {
			if t.places[fields[i-1]+"\t"+fields[i]] {
				return "a place"
			}
		}
	}
	return ""
}

func (t *traces) owns(fields []string) bool {
	for _, field := range fields {
		if t.own[field] {
			return true
		}
	}
	return false
}

// inText says which words are in a text.
func (t *traces) inText(text []byte, own func() bool) string {
	lower := bytes.ToLower(text)
	for _, word := range t.known {
		if containsWord(lower, word) {
			return "a name or number"
		}
	}
	if len(t.numbers) > 0 {
		close := bytes.Map(func(r rune) rune {
			if strings.ContainsRune(" -()/.", r) {
				return -1
			}
			return r
		}, lower)
		for _, digits := range t.numbers {
			if containsWord(close, digits) {
				return "a number"
			}
		}
	}
	for _, word := range t.shared {
		if containsWord(lower, word) && own() {
			return "what was said of them"
		}
	}
	return ""
}

// containsWord finds a text that is not a part of a longer word.
func containsWord(text, word []byte) bool {
	if len(word) == 0 {
		return false
	}
	for from := 0; ; {
		at := bytes.Index(text[from:], word)
		if at < 0 {
			return false
		}
		at += from
		before, _ := utf8.DecodeLastRune(text[:at])
		after, _ := utf8.DecodeRune(text[at+len(word):])
		escape := at > 1 && text[at-2] == '\\' && strings.ContainsRune("nrt", before) // the end of a line before it
		if (escape || !inWord(before)) && !inWord(after) {
			return true
		}
		from = at + 1
	}
}

func inWord(r rune) bool { return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// copied says whether something in Redis is a copy that has the person in it.
func (t *traces) copied(kept redisstore.Kept) bool {
	return t.own[kept.Key[max(0, len(kept.Key)-36):]] || t.names(kept) || t.inText(kept.Value, func() bool { return true }) != ""
}

// names says whether the courier's id is in it.
func (t *traces) names(kept redisstore.Kept) bool {
	if t.courier.IsZero() {
		return false
	}
	id := []byte(t.courier.String())
	return strings.Contains(kept.Key, string(id)) || bytes.Contains(kept.Value, id) || bytes.Contains(kept.Value, t.courier[:])
}

// inKept says what of the person something in Redis has; "" for nothing. Their id may stay where it is counted what they delivered.
func (t *traces) inKept(kept redisstore.Kept) string {
	switch key.Kind(kept.Key) {
	case "courier", "session", "geo", "positions":
		if t.names(kept) {
			return "the courier's id"
		}
	}
	return t.inText(kept.Value, func() bool { return t.own[kept.Key[max(0, len(kept.Key)-36):]] || t.names(kept) })
}

// found is what a search of everything has come to.
type found struct {
	rows, values, found int
	where               []string // of the first of them
}

// maxWhere is how many finds are told apart.
const maxWhere = 50

// search goes through a dump of Postgres and all of Redis.
func search(ctx context.Context, store *postgres.Store, client redis.UniversalClient, t *traces) (f found, err error) {
	note := func(where, what string) {
		if f.found++; f.found <= maxWhere {
			f.where = append(f.where, where+": "+what)
		}
	}
	err = store.Dump(ctx, func(table string, row []byte) {
		f.rows++
		if what := t.inRow(table, row); what != "" {
			first, _, _ := strings.Cut(strings.TrimSpace(string(row)), "\t")
			note("Postgres, "+table+", the row that begins with "+strconv.Quote(first), what)
		}
	})
	if err != nil {
		return f, err
	}
	err = redisstore.Survey(ctx, client, func(kept redisstore.Kept) error {
		f.values++
		if what := t.inKept(kept); what != "" {
			note("Redis, "+kept.Key, what)
		}
		return nil
	})
	return f, err
}
