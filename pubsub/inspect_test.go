package pubsub

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
)

func TestInspect(t *testing.T) {
	t.Parallel()
	t.Run("an empty server has nothing and nobody", func(t *testing.T) {
		t.Parallel()
		c, err := Inspect(t.Context(), connect(t, storetest.RedisURL(t)))
		if err != nil || c != (Condition{}) {
			t.Errorf("got %+v, %v", c, err)
		}
	})
	t.Run("counts what waits, what is in hand and who is there, once each", func(t *testing.T) {
		t.Parallel()
		client := connect(t, storetest.RedisURL(t))
		began := time.Now().Add(-time.Second)
		putIn(t, client, 3, newIDs(4)...)
		putIn(t, client, 60, newIDs(2)...)
		b := newBacklog(client, "w1")
		must(t, b.join(t.Context()))
		must(t, client.XReadGroup(t.Context(), &redis.XReadGroupArgs{Group: group, Consumer: b.consumer, Streams: []string{key.Positions(3), ">"}}).Err())
		c, err := Inspect(t.Context(), client)
		must(t, err)
		if c.Waiting != 6 || c.Pending != 4 || c.Active != 1 || c.Gone != 0 || c.Left != 0 {
			t.Errorf("got %+v, want 6 that wait, 4 in hand, and one member", c)
		}
		if c.Oldest.Before(began) || c.Oldest.After(time.Now().Add(time.Second)) {
			t.Errorf("the oldest is of %s", c.Oldest)
		}
	})
	t.Run("a server that is away is an error", func(t *testing.T) {
		t.Parallel()
		if _, err := Inspect(t.Context(), connect(t, "redis://127.0.0.1:1")); tracking.CodeOf(err) != tracking.CodeUnavailable {
			t.Errorf("got %v", err)
		}
	})
}

// Whoever was heard of on one stream is there, whatever is left in their hands on others.
func TestCondition_count(t *testing.T) {
	t.Parallel()
	members := func(consumers ...redis.XInfoConsumer) *redis.XInfoConsumersCmd {
		cmd := redis.NewXInfoConsumersCmd(t.Context(), key.Positions(0), group)
		cmd.SetVal(consumers)
		return cmd
	}
	var c Condition
	c.count([]*redis.XInfoConsumersCmd{
		members(redis.XInfoConsumer{Name: "there", Idle: time.Hour, Pending: 5}, redis.XInfoConsumer{Name: "gone", Idle: 2 * time.Minute, Pending: 3}),
		members(redis.XInfoConsumer{Name: "gone", Idle: time.Hour, Pending: 1}, redis.XInfoConsumer{Name: "there", Idle: time.Second}),
	})
	if c.Active != 1 || c.Gone != 1 || c.Left != 4 {
		t.Errorf("got %+v, want one there, one gone with 4", c)
	}
}
