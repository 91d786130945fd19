package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"hotfoot/tracking"
)

// trail is what the log says, the oldest first, behind an entry: an entry a line.
func (s shop) trail(t *testing.T, after int64) (lines []string, last int64) {
	t.Helper()
	entries, err := s.Audit(t.Context(), tracking.AuditFilter{Limit: 10_000})
	must(t, err)
	slices.Reverse(entries)
	for _, e := range entries {
		if e.ID <= after {
			continue
		}
		by := string(e.By.Kind)
		switch e.By.ID {
		case tracking.ID{}:
		case s.actor.KeyID:
			by += " KEY"
		case s.courier.ID:
			by += " COURIER"
		default:
			by += " SOMEBODY"
		}
		if own := e.MerchantID; own != s.merchant && !own.IsZero() {
			by += " of another"
		}
		lines, last = append(lines, by+" "+e.Action+" "+e.Subject+" "+e.Changes), e.ID
	}
	return lines, max(last, after)
}

func TestStore_Audit(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	operator := tracking.By(t.Context(), tracking.Actor{Role: tracking.RoleOperator})
	staff := tracking.NewRoster(s.Store, mute{}, tracking.NewRelay(s.Store, deaf{}, tracking.RelayConfig{}, nil), now, nil)
	keys := tracking.NewLocksmith(s.Store, mute{}, now, nil)
	tenancy := tracking.NewTenancy(s.Store, tracking.NewRelay(s.Store, deaf{}, tracking.RelayConfig{}, nil), now, nil)
	key, _, err := keys.Cut(t.Context(), s.actor, tracking.RoleOps, "Kim's till", time.Time{})
	must(t, err)
	var r tracking.Record
	_, last := s.trail(t, 0)
	for _, did := range []struct {
		what string
		do   func() error
		want []string // how each entry begins
	}{
		{"a key is made", func() error {
			_, _, err := keys.Cut(t.Context(), s.actor, tracking.RoleOps, "Kim's other till", time.Time{})
			return err
		}, []string{`merchant KEY insert api_keys {"hash": null, "role": [null, "ops"], "label": null}`}},
		{"a key is rotated", func() error {
			made, _, err := keys.Replace(t.Context(), s.actor, key.ID, 0)
			key = made
			return err
		}, []string{`merchant KEY update api_keys {"revoked_at": [null, "20`, `merchant KEY insert api_keys {"hash": null, "role": [null, "ops"], "label": null}`}},
		{"a key is revoked by an operator", func() error {
			return keys.Revoke(t.Context(), tracking.Actor{Role: tracking.RoleOperator}, key.ID)
		}, []string{`operator update api_keys {"revoked_at": [null, "20`}},
		{"a courier is hired", func() error {
			_, _, err := staff.Hire(t.Context(), s.actor, tracking.Courier{Name: "Kim Secret", Vehicle: tracking.Bike, Phone: "4711"})
			return err
		}, []string{`merchant KEY insert couriers {"name": null, "phone": null, "on_duty": [null, false], "vehicle": [null, "bike"], "hidden_zones": null}`, `merchant KEY insert api_keys {`}},
		{"a courier is amended", func() error {
			_, err := staff.Amend(t.Context(), s.actor, s.courier.ID, func(c *tracking.Courier) { c.Name, c.Vehicle = "Samuel Secret", tracking.Van })
			return err
		}, []string{`merchant KEY update couriers {"name": null, "vehicle": ["bike", "van"]}`}},
		{"a courier's key is rotated", func() error {
			_, err := staff.RotateKey(t.Context(), s.actor, s.courier.ID, 0)
			return err
		}, []string{`merchant KEY update api_keys {"revoked_at": [null, "20`, `merchant KEY insert api_keys {`}},
		{"a shift begins", func() error {
			_, err := staff.SetShift(t.Context(), s.phone, true)
			return err
		}, []string{`courier COURIER update couriers {"on_duty": [false, true]}`}},
		{"what customers see is changed", func() error {
			_, err := tenancy.Amend(t.Context(), s.actor, func(m *tracking.Merchant) { m.VisibleStops = 7 })
			return err
		}, []string{`merchant KEY update merchants {"visible_stops": [2, 7]}`}},
		{"a delivery is made and assigned", func() error {
			r = s.create(t, s.courier)
			return nil
		}, []string{`merchant KEY insert deliveries {"note": null, "status": [null, "assigned"], `}},
		{"a courier reports", func() error {
			s.report(t, r, tracking.PickedUp)
			return nil
		}, []string{`courier COURIER update deliveries {"status": ["assigned", "picked_up"]}`}},
		{"a link is revoked", func() error {
			_, err := s.dispatch().RevokeLink(t.Context(), s.actor, r.Delivery.ID)
			return err
		}, []string{`merchant KEY update deliveries {"link_gen": [0, 1]}`}},
		{"a delivery is cancelled", func() error {
			_, err := s.dispatch().Cancel(t.Context(), s.actor, r.Delivery.ID, "a secret")
			return err
		}, []string{`merchant KEY update deliveries {"status": ["picked_up", "cancelled"]}`}},
		{"what is kept for too long goes", func() error {
			_, err := s.Redact(t.Context(), now().Add(time.Hour), 10)
			return err
		}, []string{`system update deliveries {"pickup_lat": null, `, `system update delivery_events {"rows": 4}`}},
		{"an operator raises the epoch", func() error {
			_, err := s.RaiseEpoch(operator)
			return err
		}, []string{`operator update epoch {"epoch": [1, `}},
		{"a dead letter is dropped", func() error {
			letter := tracking.DeadLetter{ID: tracking.NewID(), Entry: "1-0", BuriedAt: now()}
			_, err := s.Bury(t.Context(), letter)
			return errors.Join(err, s.DropDeadLetter(operator, letter.ID))
		}, []string{`operator delete dead_letters {"rows": 1}`}},
		{"somebody uses SQL", func() error {
			_, err := s.pool.Exec(t.Context(), `UPDATE api_keys SET revoked_at = NULL WHERE id = $1`, key.ID)
			return err
		}, []string{`database update api_keys {"revoked_at": ["20`}},
		{"nothing is changed", func() error {
			_, err := s.pool.Exec(t.Context(), `UPDATE deliveries SET note = note; UPDATE couriers SET rev = rev + 1; DELETE FROM positions`)
			return err
		}, nil},
		{"a change is taken back", func() error {
			tx, err := s.pool.Begin(t.Context())
			must(t, err)
			_, err = tx.Exec(t.Context(), `UPDATE api_keys SET revoked_at = now()`)
			return errors.Join(err, tx.Rollback(t.Context()))
		}, nil},
		{"everything is emptied", func() error { return s.Clear(operator) }, []string{
			"operator truncate merchants {}", "operator truncate couriers {}", "operator truncate api_keys {}", "operator truncate deliveries {}",
			"operator truncate delivery_events {}", "operator truncate positions {}", "operator truncate dead_letters {}",
		}},
	} {
		must(t, did.do())
		var lines []string
		lines, last = s.trail(t, last)
		fits := len(lines) == len(did.want)
		for i := range lines {
			fits = fits && strings.HasPrefix(lines[i], did.want[i])
			for _, secret := range []string{"Kim", "Secret", "4711", "secret", "Street", shopPlace.Address + home.Address} {
				if secret != "" && strings.Contains(lines[i], secret) {
					t.Errorf("%s: it tells of %q: %s", did.what, secret, lines[i])
				}
			}
		}
		if !fits {
			t.Errorf("%s: it says\n%s\nwant\n%s", did.what, strings.Join(lines, "\n"), strings.Join(did.want, "\n"))
		}
	}
}

// mute is a Revoker that tells nobody.
type mute struct{}

func (mute) Revoke(context.Context, [][32]byte) error { return nil }

// A new table is put down here, or gets triggers.
func TestStore_Audit_everyTable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	rows, err := s.pool.Query(t.Context(), `
		SELECT relname FROM pg_class c WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
			AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = c.oid AND tgname LIKE 'audit%') ORDER BY relname`)
	must(t, err)
	without, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	reasons := map[string]string{
		"fences":            "numbers that nodes count up",
		"goose_db_version":  "which migrations ran; goose's own",
		"idempotency_keys":  "written and removed with deliveries, which are told of",
		"limit_decisions":   "counts",
		"position_sessions": "what phones have sent",
		"sealed_standings":  "counted from deliveries",
		"shifts":            "written with couriers.on_duty, which is told of",
	}
	for _, table := range without {
		if reasons[table] == "" {
			t.Errorf("changes of %s are not written down, and nothing says why", table)
		}
		delete(reasons, table)
	}
	for table := range reasons {
		t.Errorf("%s has triggers, or is no table", table)
	}
}

// A new column is told of, or named among those that are not.
func TestStore_Audit_everyColumn(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE couriers ADD COLUMN shoe_size int`) // one that must be found
	must(t, err)
	rows, err := s.pool.Query(t.Context(), `
		SELECT c.relname || '.' || a.attname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE t.tgname = 'audit' AND a.attnum > 0 AND NOT a.attisdropped AND cardinality(t.tgattr::int2[]) > 0 AND a.attnum <> ALL (t.tgattr::int2[])
			AND a.attname <> ALL (string_to_array(split_part(encode(t.tgargs, 'escape'), '\000', 2), ' '))`)
	must(t, err)
	forgotten, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if !slices.Equal(forgotten, []string{"couriers.shoe_size"}) {
		t.Errorf("changes of %v alone are not written down", forgotten)
	}
}

func (s shop) sealAll(t *testing.T) tracking.AuditHead {
	t.Helper()
	for {
		sealed, head, err := s.SealEntries(t.Context(), 100)
		must(t, err)
		if sealed == 0 {
			return head
		}
	}
}

func TestStore_SealEntries(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	t.Run("puts what many write at once into one chain, whoever seals", func(t *testing.T) {
		const writers, sealers, each = 6, 3, 60
		done := make(chan struct{})
		var writing, sealing sync.WaitGroup
		for range writers {
			writing.Go(func() {
				for n := range each {
					key, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "")
					if err := s.CreateKey(t.Context(), key, now()); err != nil {
						t.Error(err)
					}
					if n%7 == 0 { // holes between ids
						_, _ = s.pool.Exec(t.Context(), `BEGIN; UPDATE api_keys SET revoked_at = now() WHERE id = '`+key.ID.String()+`'; ROLLBACK`)
					}
				}
			})
		}
		for range sealers {
			sealing.Go(func() {
				for {
					if _, _, err := s.SealEntries(t.Context(), 17); err != nil {
						t.Error(err)
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		writing.Wait()
		close(done)
		sealing.Wait()
		head := s.sealAll(t)
		state, err := s.VerifyAudit(t.Context(), head)
		lines, _ := s.trail(t, 0)
		if err != nil || state.Head != head || state.Entries != int64(len(lines)) || state.First != 1 || state.Unsealed != 0 || len(lines) < writers*each {
			t.Errorf("%+v of %d, %v", state, len(lines), err)
		}
	})
	t.Run("seals an entry whose transaction ends late behind what was sealed before it", func(t *testing.T) {
		tx, err := s.pool.Begin(t.Context())
		must(t, err)
		_, err = tx.Exec(t.Context(), `UPDATE merchants SET visible_stops = 5`)
		must(t, err)
		_, err = s.RaiseEpoch(t.Context())
		must(t, err)
		before := s.sealAll(t)
		must(t, tx.Commit(t.Context()))
		after := s.sealAll(t)
		if state, err := s.VerifyAudit(t.Context(), before); err != nil || after.N != before.N+1 || state.Head != after {
			t.Errorf("from %v to %v: %+v, %v", before, after, state, err)
		}
	})
	t.Run("leaves the log to be added to and nothing else", func(t *testing.T) {
		for _, sql := range []string{
			`UPDATE audit_log SET actor = 'system'`, `UPDATE audit_log SET hash = sha256('') WHERE n = 2`, `UPDATE audit_log SET n = 9000 WHERE n = 1`,
			`UPDATE audit_log SET n = NULL, hash = NULL WHERE n = 1`, `DELETE FROM audit_log WHERE n = 1`, `TRUNCATE audit_log`,
			`INSERT INTO audit_log (actor, action, subject, subject_id, changes, n, hash) VALUES ('system', 'x', 'x', '', '{}', 9000, sha256(''))`,
		} {
			_, err := s.pool.Exec(t.Context(), sql)
			if refused, ok := errors.AsType[*pgconn.PgError](err); !ok || !strings.Contains(refused.Message, "can only be added to") {
				t.Errorf("%s: %v", sql, err)
			}
		}
	})
}

// Somebody who may do everything with the database does what they want to be unseen.
func TestStore_VerifyAudit(t *testing.T) {
	t.Parallel()
	// A chain of some twenty entries, of which the tenth has a merchant and a key.
	prepare := func(t *testing.T) (shop, tracking.AuditHead) {
		s := newShop(t)
		for range 20 {
			key, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "")
			must(t, s.CreateKey(tracking.By(t.Context(), s.actor), key, now()))
		}
		return s, s.sealAll(t)
	}
	const anew = `
		DO $$ DECLARE r record; BEGIN
			FOR r IN SELECT * FROM audit_log ORDER BY n LOOP UPDATE audit_log SET hash = sha256(hash) WHERE id = r.id; END LOOP;
		END $$`
	for what, tampered := range map[string]struct{ sql, want string }{
		"id":          {`UPDATE audit_log SET id = DEFAULT WHERE n = 10`, "entry 10 is not"},
		"at":          {`UPDATE audit_log SET at = at + interval '1 us' WHERE n = 10`, "entry 10 is not"},
		"merchant_id": {`UPDATE audit_log SET merchant_id = NULL WHERE n = 10`, "entry 10 is not"},
		"actor":       {`UPDATE audit_log SET actor = 'system' WHERE n = 10`, "entry 10 is not"},
		"actor_id":    {`UPDATE audit_log SET actor_id = gen_random_uuid() WHERE n = 10`, "entry 10 is not"},
		"db_role":     {`UPDATE audit_log SET db_role = 'nobody' WHERE n = 10`, "entry 10 is not"},
		"action":      {`UPDATE audit_log SET action = 'delete' WHERE n = 10`, "entry 10 is not"},
		"subject":     {`UPDATE audit_log SET subject = 'couriers' WHERE n = 10`, "entry 10 is not"},
		"subject_id":  {`UPDATE audit_log SET subject_id = '' WHERE n = 10`, "entry 10 is not"},
		"changes":     {`UPDATE audit_log SET changes = '{}' WHERE n = 10`, "entry 10 is not"},
		"n":           {`UPDATE audit_log SET n = 9000 WHERE n = 10`, "entry 10 is gone"},
		"hash":        {`UPDATE audit_log SET hash = sha256('') WHERE n = 10`, "entry 10 is not"},
		"one gone":    {`DELETE FROM audit_log WHERE n = 10`, "entry 10 is gone"},
		"two changed places": {
			`UPDATE audit_log SET n = 9000 WHERE n = 10; UPDATE audit_log SET n = 10 WHERE n = 11; UPDATE audit_log SET n = 11 WHERE n = 9000`,
			"entry 10 is not",
		},
		"the front gone":           {`DELETE FROM audit_log WHERE n < 10`, "entry 9 and those before it are gone"},
		"the end gone":             {`DELETE FROM audit_log WHERE n > 15`, "is gone: the chain ends at 15"},
		"one changed and unsealed": {`UPDATE audit_log SET actor = 'system', n = NULL, hash = NULL WHERE n = 10`, "entry 10 is gone"},
		"all hashed anew":          {anew, "entry 1 is not"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, head := prepare(t)
			if state, err := s.VerifyAudit(t.Context(), head); err != nil || state.Head != head {
				t.Fatalf("before: %+v, %v", state, err)
			}
			_, err := s.pool.Exec(t.Context(), `ALTER TABLE audit_log DISABLE TRIGGER ALL; ALTER TABLE audit_log ALTER id SET GENERATED BY DEFAULT; `+tampered.sql)
			must(t, err)
			_, err = s.VerifyAudit(t.Context(), head)
			if wantCode(t, err, tracking.CodeConflict); err == nil || !strings.Contains(err.Error(), tampered.want) {
				t.Errorf("%v, want %q", err, tampered.want)
			}
		})
	}
	t.Run("a chain that was forged with care", func(t *testing.T) {
		t.Parallel()
		s, head := prepare(t)
		_, err := s.pool.Exec(t.Context(), `ALTER TABLE audit_log DISABLE TRIGGER ALL; UPDATE audit_log SET actor = 'system' WHERE n = 10; UPDATE audit_log SET n = NULL, hash = NULL`)
		must(t, err)
		forged := s.sealAll(t)
		if _, err := s.VerifyAudit(t.Context(), tracking.AuditHead{}); err != nil {
			t.Errorf("by itself it holds together, but: %v", err)
		}
		_, err = s.VerifyAudit(t.Context(), head)
		if wantCode(t, err, tracking.CodeConflict); err == nil || !strings.Contains(err.Error(), "was written anew") {
			t.Errorf("beside what was noted down: %v", err)
		}
		if forged.N != head.N {
			t.Errorf("it reaches to %v, not %v", forged, head)
		}
	})
}

func TestStore_DropAuditBefore(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	var noted []tracking.AuditHead
	for range 30 {
		key, _ := tracking.NewKey(s.merchant, tracking.RoleOps, tracking.ID{}, "")
		must(t, s.CreateKey(t.Context(), key, now()))
		noted = append(noted, s.sealAll(t))
	}
	check := func(first int64, since tracking.AuditHead) {
		t.Helper()
		state, err := s.VerifyAudit(t.Context(), since)
		if err != nil || state.First != first {
			t.Errorf("from %d on: %+v, %v", first, state, err)
		}
	}
	check(1, noted[0])
	_, err := s.pool.Exec(t.Context(), `ALTER TABLE audit_log DISABLE TRIGGER audit_guard; UPDATE audit_log SET n = NULL, hash = NULL;
		UPDATE audit_log SET at = at - interval '1 day' WHERE id <= (SELECT id FROM audit_log ORDER BY id OFFSET 19 LIMIT 1); ALTER TABLE audit_log ENABLE TRIGGER audit_guard`)
	must(t, err)
	head := s.sealAll(t)
	hour := now().Add(-time.Hour)
	for i, want := range []int{8, 8, 4, 0} {
		if dropped, err := s.DropAuditBefore(t.Context(), hour, 8); err != nil || dropped != want {
			t.Errorf("step %d dropped %d, %v, want %d", i, dropped, err, want)
		}
		check(min(int64(i+1)*8, 20)+1, head) // also while what was dropped is not sealed yet
		s.sealAll(t)
		check(min(int64(i+1)*8, 20)+1, head)
	}
	// Of what it took nothing can be said, but for the last of it, which the rest goes on from.
	if _, err := s.VerifyAudit(t.Context(), tracking.AuditHead{N: 19}); tracking.CodeOf(err) != tracking.CodeInvalid {
		t.Errorf("beside a head that retention took: %v", err)
	}
	_, err = s.VerifyAudit(t.Context(), tracking.AuditHead{N: 20})
	wantCode(t, err, tracking.CodeConflict)
	lines, _ := s.trail(t, 0)
	if told := lines[len(lines)-1]; !strings.HasPrefix(told, `system delete audit_log {"hash": "`) || !strings.Contains(told, fmt.Sprintf(`"rows": 4, "through": %d}`, 20)) {
		t.Errorf("it tells %s", told)
	}
	if dropped, err := s.DropAuditBefore(t.Context(), now().Add(time.Hour), 1000); err != nil || dropped != 0 {
		t.Errorf("with nothing newer it dropped %d, %v", dropped, err)
	}
}
