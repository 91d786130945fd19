package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/tracking"
)

type auditCmd struct {
	List   auditListCmd   `cmd:"" help:"List what was changed by whom, the newest first."`
	Verify auditVerifyCmd `cmd:"" help:"Go through the whole log, and say whether an entry was altered or is gone: exit code 0 or 1."`
}

type auditListCmd struct {
	storeFlags
	Subject string `help:"Only changes of this: the id of a key, courier, delivery or merchant." placeholder:"ID"`
	Limit   int    `help:"How many." default:"50"`
}

// Run lists entries.
func (c *auditListCmd) Run(ctx context.Context, w *world) error {
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		entries, err := store.Audit(ctx, tracking.AuditFilter{Subject: c.Subject, Limit: c.Limit})
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(w.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(table, "ENTRY\tAT\tBY\tDID\tOF\tID\tCHANGES")
		for _, e := range entries {
			fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", e.ID, e.At.UTC().Format(time.DateTime), authorText(e), e.Action, e.Subject, e.SubjectID, e.Changes)
		}
		return table.Flush()
	})
}

// authorText says who it was; of whoever came without a key, as what they had signed in at the database.
func authorText(e tracking.AuditEntry) string {
	if e.By.ID.IsZero() {
		return string(e.By.Kind) + " (" + e.DBRole + ")"
	}
	return string(e.By.Kind) + " " + e.By.ID.String()
}

type auditVerifyCmd struct {
	storeFlags
	Head string `help:"An end of the log that was noted down before, as this command prints it: it must still be in it." placeholder:"N:HASH"`
}

// Help is shown below the command's summary.
func (auditVerifyCmd) Help() string {
	return "Each entry holds a hash over itself and the one before. That shows what was altered or taken out, but not that the end was cut off, or everything was " +
		"written anew: for that, keep what this command prints, or the heads that workers log every hour, where whoever can write the database cannot, and give one " +
		"with --head."
}

// Run verifies the log.
func (c *auditVerifyCmd) Run(ctx context.Context, w *world) error {
	noted, err := parseHead(c.Head)
	if err != nil {
		return err
	}
	return withTruth(ctx, c.storeFlags, func(ctx context.Context, store *postgres.Store) error {
		state, err := store.VerifyAudit(ctx, noted)
		if err != nil {
			return err
		}
		fmt.Fprintf(w.stdout, "%d entries from %d on are what they were; %d are waiting to be sealed\nhead %s\n", state.Entries, state.First, state.Unsealed, state.Head)
		return nil
	})
}

// parseHead reads N:HASH; "" is the zero head.
func parseHead(text string) (head tracking.AuditHead, err error) {
	if text == "" {
		return head, nil
	}
	number, hash, _ := strings.Cut(text, ":")
	head.N, err = strconv.ParseInt(number, 10, 64)
	sum, hexErr := hex.DecodeString(hash)
	if err != nil || hexErr != nil || head.N < 1 || len(sum) != len(head.Hash) {
		return head, fmt.Errorf("--head: %q is not N:HASH, as hotfoot audit verify prints it", text)
	}
	head.Hash = [32]byte(sum)
	return head, nil
}
