package pubsub

import (
	"encoding/hex"
	"fmt"
	"log/slog"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// Feed is the Subscriber in the domain's words: it knows the channels and decodes what arrives on them, once per node however many watch.
type Feed struct {
	subscriber *Subscriber
	log        *slog.Logger
}

// NewFeed makes a Feed.
func NewFeed(subscriber *Subscriber, log *slog.Logger) *Feed {
	return &Feed{subscriber: subscriber, log: log}
}

// Watch is an interest in one thing: Ready is closed once it was confirmed, Live says whether it is now, Close ends it.
type Watch interface {
	Ready() <-chan struct{}
	Live() bool
	Close()
}

// Delivery watches a delivery's record.
func (f *Feed) Delivery(id tracking.ID, changed func(tracking.Record), live func(bool)) Watch {
	return f.subscribe(key.Delivery(id), live, func(b []byte) error {
		r, err := wire.Record(b)
		if err == nil {
			changed(r)
		}
		return err
	})
}

// Courier watches a courier's newest position. Of positions that come at one time calm follows the last.
func (f *Feed) Courier(id tracking.ID, moved func(tracking.Position), calm func(), live func(bool)) Watch {
	name := key.Courier(id)
	// One function for what there is most of, where the others have two.
	return f.subscriber.Subscribe(name, Listener{Live: live, Calm: calm, Message: func(b []byte) {
		p, err := wire.Position(b)
		if err != nil {
			f.unreadable(name, err)
			return
		}
		moved(p)
	}})
}

// Jobs watches for changes of a courier's route.
func (f *Feed) Jobs(courier tracking.ID, changed func(), live func(bool)) Watch {
	return f.subscribe(key.Jobs(courier), live, func([]byte) error {
		changed()
		return nil
	})
}

// Segment watches for changes of anything that is computed of a merchant or courier.
func (f *Feed) Segment(id tracking.ID, changed func(), live func(bool)) Watch {
	return f.subscribe(key.Segment(id), live, func([]byte) error {
		changed()
		return nil
	})
}

// Revoked watches for keys that must stop working.
func (f *Feed) Revoked(revoked func(hash [32]byte), live func(bool)) Watch {
	return f.subscribe(key.Control, live, func(b []byte) error {
		hash, err := hex.DecodeString(string(b))
		if err != nil {
			return err
		}
		if len(hash) != 32 {
			return fmt.Errorf("a hash of %d bytes", len(hash))
		}
		revoked([32]byte(hash))
		return nil
	})
}

// Fleet watches everything of a merchant, from every partition: positions, records, and couriers who come, go or change.
func (f *Feed) Fleet(merchant tracking.ID, moved func(tracking.ID, tracking.Position), changed func(tracking.Record), staffed func(tracking.Courier), live func(bool)) []Watch {
	watches := make([]Watch, key.Partitions)
	for p := range watches {
		watches[p] = f.subscribe(key.Fleet(p, merchant), live, func(b []byte) error {
			m, err := wire.ParseFleet(b)
			switch {
			case err != nil:
				return err
			case m.Position != nil:
				moved(m.CourierID, *m.Position)
			case m.Record != nil:
				changed(*m.Record)
			default:
				staffed(*m.Courier)
			}
			return nil
		})
	}
	return watches
}

func (f *Feed) subscribe(name string, live func(bool), decode func([]byte) error) *Subscription {
	return f.subscriber.Subscribe(name, Listener{
		Live: live,
		Message: func(b []byte) {
			if err := decode(b); err != nil {
				f.unreadable(name, err)
			}
		},
	})
}

// unreadable says that a message is from a newer release, or not from us at all: the record itself is still read by every resync.
func (f *Feed) unreadable(name string, err error) {
	f.log.Warn("could not read a message", "channel", name, "error", err)
}
