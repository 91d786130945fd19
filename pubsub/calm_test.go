package pubsub

import (
	"slices"
	"testing"
)

// Of what comes at one time all is told first, and then each listener of it once that no more has come yet; of what comes in pieces nothing is left out.
func TestLane_calm(t *testing.T) {
	t.Parallel()
	said := messageOn("message", "a", "1") + messageOn("message", "b", "2") + messageOn("message", "a", "3") + messageOn("message", "c", "4")
	for _, c := range []struct {
		step int // bytes of a read; 0 for all
		want []string
	}{
		{0, []string{"a 1", "b 2", "a 3", "c 4", "a calm", "b calm"}},
		{len(messageOn("message", "a", "1")), []string{"a 1", "a calm", "b 2", "b calm", "a 3", "a calm", "c 4"}},
		{len(said) - 1, []string{"a 1", "b 2", "a 3", "a calm", "b calm", "c 4"}},
		{1, []string{"a 1", "a calm", "b 2", "b calm", "a 3", "a calm", "c 4"}},
	} {
		l := newLane(NewSubscriber(nil, silent), "0")
		var heard []string
		for _, name := range []string{"a", "b"} {
			l.add(&Subscription{name: name, listener: Listener{
				Message: func(payload []byte) { heard = append(heard, name+" "+string(payload)) },
				Calm:    func() { heard = append(heard, name+" calm") },
			}})
		}
		l.add(&Subscription{name: "c", listener: Listener{Message: func(payload []byte) { heard = append(heard, "c "+string(payload)) }}})
		_ = l.receive(&connection{reader: *newReader([]byte(said), c.step)})
		if !slices.Equal(heard, c.want) {
			t.Errorf("%d bytes a read: heard %q, want %q", c.step, heard, c.want)
		}
	}
}

// A connection that ends in the middle of what it says leaves nobody waiting.
func TestLane_calm_at_the_end(t *testing.T) {
	t.Parallel()
	l := newLane(NewSubscriber(nil, silent), "0")
	calm := 0
	l.add(&Subscription{name: "a", listener: Listener{Message: func([]byte) {}, Calm: func() { calm++ }}})
	_ = l.receive(&connection{reader: *newReader([]byte(messageOn("message", "a", "1")+"no Redis"), 0)})
	if calm != 1 {
		t.Errorf("calm was said %d times", calm)
	}
}
