package tracking

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// legal is written by hand from the contract, not from the table that it checks.
const legal = `
created   assigned cancelled
assigned  picked_up created cancelled
picked_up en_route failed cancelled
en_route  arriving failed
arriving  delivered en_route failed
failed    en_route returned
delivered
cancelled
returned`

func legalMoves() map[Status][]Status {
	moves := map[Status][]Status{}
	for line := range strings.Lines(strings.TrimSpace(legal)) {
		words := strings.Fields(line)
		moves[Status(words[0])] = []Status{}
		for _, w := range words[1:] {
			moves[Status(words[0])] = append(moves[Status(words[0])], Status(w))
		}
	}
	return moves
}

// Every pair of statuses, through Apply: legal exactly when the contract says so, and otherwise the error names what is.
func TestDelivery_Apply_everyPair(t *testing.T) {
	t.Parallel()
	contract := legalMoves()
	if len(contract) != len(Statuses) {
		t.Fatalf("%d statuses in the contract, %d in the code", len(contract), len(Statuses))
	}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	for _, from := range Statuses {
		for _, to := range append(slices.Clone(Statuses), "flying", "") {
			before := Delivery{Status: from, Ver: 7, CourierID: NewID()}
			after, event, err := before.Apply(Move{To: to, Actor: Actor{Role: RoleMerchant}}, now)
			if !slices.Contains(contract[from], to) {
				if CodeOf(err) != CodeIllegalMove || after != before || event != (Event{}) {
					t.Errorf("%s → %s: %v, %+v", from, to, err, after)
				}
				for _, allowed := range contract[from] {
					if !strings.Contains(err.Error(), " "+string(allowed)) {
						t.Errorf("%s → %s: %q does not name %s", from, to, err, allowed)
					}
				}
				if len(contract[from]) == 0 && !strings.Contains(err.Error(), string(from)+" is final") {
					t.Errorf("%s → %s: %q", from, to, err)
				}
				continue
			}
			if err != nil || after.Status != to || after.Ver != 8 || event.Ver != 8 || event.Status != to || event.At != now || after.UpdatedAt != now {
				t.Errorf("%s → %s: %v, %+v, %+v", from, to, err, after, event)
			}
			if event.CourierID != before.CourierID {
				t.Errorf("%s → %s: the event forgets whose it was", from, to)
			}
			if (to == Created) != after.CourierID.IsZero() {
				t.Errorf("%s → %s: courier %s", from, to, after.CourierID)
			}
			if to.Final() != !after.FinishedAt.IsZero() {
				t.Errorf("%s → %s: finished at %s", from, to, after.FinishedAt)
			}
		}
	}
}

func TestDelivery_Apply_toCourier(t *testing.T) {
	t.Parallel()
	for from, want := range map[Status]string{
		Created: "nothing is allowed to you now", Assigned: "allowed now: picked_up", PickedUp: "allowed now: en_route, failed", Failed: "allowed now: en_route, returned",
	} {
		_, _, err := Delivery{Status: from}.Apply(Move{To: Delivered, Actor: Actor{Role: RoleCourier}}, time.Now())
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v, want %q", from, err, want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	is := func(what string, f func(Status) bool, want ...Status) {
		for _, s := range append(slices.Clone(Statuses), "flying", "") {
			if f(s) != slices.Contains(want, s) {
				t.Errorf("%s(%q) is %v", what, s, f(s))
			}
		}
	}
	is("Known", Status.Known, Statuses...)
	is("Final", Status.Final, Delivered, Cancelled, Returned)
	is("Underway", Status.Underway, EnRoute, Arriving)
	is("OnRoute", Status.OnRoute, Assigned, PickedUp, EnRoute, Arriving)
	is("ByCourier", Status.ByCourier, PickedUp, EnRoute, Arriving, Delivered, Failed, Returned)
	t.Run("Moves is a copy", func(t *testing.T) {
		Created.Moves()[0] = Delivered
		if Created.CanBecome(Delivered) {
			t.Error("a caller changed the table")
		}
	})
}
