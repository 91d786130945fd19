// Package migrations holds the Postgres schema as numbered SQL files, embedded in the binary.
//
//	migrations/0001_….sql ──embed──> hotfoot migrate up (goose) ──> Postgres
//
// A migration that has been released is never edited: a change is a new file. Every rule of the domain that SQL can express
// stands in a named CHECK, so that a bug above cannot store nonsense and an error names the rule it broke.
package migrations

import "embed"

// FS holds the migration files at its root, in goose's format.
//
//go:embed *.sql
var FS embed.FS
