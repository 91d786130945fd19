package tracking

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"log/slog"
	"strconv"
	"time"
)

// AuditEntry says who changed what. The truth writes it in the transaction that makes the change, whoever makes it.
type AuditEntry struct {
	ID         int64 // in the order of writing, with holes; not that of committing
	At         time.Time
	MerchantID ID // zero for what belongs to no merchant
	By         Author
	DBRole     string // that the session had signed in with
	// Action is insert, update, delete or truncate; Subject a table, SubjectID a row of it, "" for several or the only one.
	Action, Subject, SubjectID string
	// Changes is JSON: by column [before, after], or null where that would tell of people.
	Changes string
}

// Seal is the entry's hash as the n-th of the chain, n from 1, behind one with hash before, which is zero for the first:
//
//	SHA-256(before ‖ n ‖ each field of the entry, its length in front)        integers in 8 bytes, big endian; times in Unix microseconds
func (e AuditEntry) Seal(n int64, before [32]byte) [32]byte {
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, 512), before[:]...), uint64(n))
	for _, number := range []int64{e.ID, e.At.UnixMicro()} {
		b = binary.BigEndian.AppendUint64(b, uint64(number))
	}
	for _, field := range []string{
		string(e.MerchantID[:]), string(e.By.Kind), string(e.By.ID[:]), e.DBRole, e.Action, e.Subject, e.SubjectID, e.Changes,
	} {
		b = append(binary.BigEndian.AppendUint64(b, uint64(len(field))), field...)
	}
	return sha256.Sum256(b)
}

// AuditFilter narrows a list of entries; zero fields do not.
type AuditFilter struct {
	Merchant ID
	Subject  string // the id of a row
	Before   int64  // an entry's id
	Limit    int
}

// AuditHead is where the chain ends, or begins: an entry's number and hash. The zero AuditHead stands before the first.
type AuditHead struct {
	N    int64
	Hash [32]byte
}

// String is N:HASH, as people note it down.
func (h AuditHead) String() string {
	return strconv.FormatInt(h.N, 10) + ":" + hex.EncodeToString(h.Hash[:])
}

// AuditLog is where the truth keeps entries. Errors: CodeUnavailable.
type AuditLog interface {
	// SealEntries puts entries behind the chain, at most limit, and answers how many those were and where it ends.
	SealEntries(ctx context.Context, limit int) (sealed int, head AuditHead, err error)
}

// Auditor seals what was changed. Any number of nodes may run it.
type Auditor struct {
	log    AuditLog
	config AuditorConfig
	out    *slog.Logger
}

// AuditorConfig tunes an Auditor.
type AuditorConfig struct {
	Every time.Duration // how often it looks; 1 s when zero
	Tell  time.Duration // how often it logs where the chain ends; an hour when zero
}

// NewAuditor ties the use case to its ports.
func NewAuditor(log AuditLog, config AuditorConfig, out *slog.Logger) *Auditor {
	config.Every = cmp.Or(config.Every, time.Second)
	config.Tell = cmp.Or(config.Tell, time.Hour)
	return &Auditor{log: log, config: config, out: out}
}

const sealAtOnce = 500 // entries a transaction

// Run seals until ctx ends. Where the chain ends is logged every now and then: a log that is kept elsewhere then tells whether its end was cut off, or all of it
// written anew, which the chain by itself cannot.
func (u *Auditor) Run(ctx context.Context) error {
	look, tell := time.NewTicker(u.config.Every), time.NewTicker(u.config.Tell)
	defer look.Stop()
	defer tell.Stop()
	var head, told AuditHead
	failing := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			newest, err := u.runOnce(ctx)
			if err == nil {
				head = newest
			} else if !failing && ctx.Err() == nil {
				u.out.Warn("sealing the audit log waits for Postgres", "error", err)
			}
			failing = err != nil
		case <-tell.C:
			if head != told {
				u.out.Info("the audit log reaches to", "head", head.String())
				told = head
			}
		}
	}
}

// runOnce seals until nothing is left, or its turn is over.
func (u *Auditor) runOnce(ctx context.Context) (AuditHead, error) {
	ctx, cancel := context.WithTimeout(ctx, turnLimit)
	defer cancel()
	for {
		sealed, head, err := u.log.SealEntries(ctx, sealAtOnce)
		if err != nil || sealed < sealAtOnce {
			return head, err
		}
	}
}
