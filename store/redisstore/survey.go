package redisstore

import (
	"context"
	"errors"
	"sync"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking/key"
)

// Kept is one thing that is kept in Redis: a field, a member, an entry, or all of a string.
type Kept struct {
	Key   string
	Value []byte // the field's name or the entry's fields are in it, behind what they hold
}

// surveyCount is how many keys, or parts of one, a step asks for. A server does nothing else meanwhile.
const surveyCount = 200

// Survey looks at everything that there is on every server, and hands it to see, one after another. It is for an operator who looks for somebody: no node
// may ask a server that is shared by all for everything it has. Errors: CodeUnavailable.
func Survey(ctx context.Context, client redis.UniversalClient, see func(Kept) error) error {
	var one sync.Mutex
	server := func(ctx context.Context, master redis.Cmdable) error {
		keys := master.Scan(ctx, 0, "*", surveyCount).Iterator()
		for keys.Next(ctx) {
			if err := survey(ctx, client, keys.Val(), func(value []byte) error {
				one.Lock()
				defer one.Unlock()
				return see(Kept{keys.Val(), value})
			}); err != nil {
				return err
			}
		}
		return keys.Err()
	}
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return unavailable(cluster.ForEachMaster(ctx, func(ctx context.Context, master *redis.Client) error { return server(ctx, master) }))
	}
	return unavailable(server(ctx, client))
}

// survey goes through what a key holds.
func survey(ctx context.Context, client redis.UniversalClient, name string, see func([]byte) error) error {
	kind, err := client.Type(ctx, name).Result()
	if err != nil {
		return err
	}
	switch kind {
	case "string":
		value, err := client.Get(ctx, name).Bytes()
		if errors.Is(err, redis.Nil) {
			return nil
		} else if err != nil {
			return err
		}
		return see(value)
	case "hash":
		return inPairs(ctx, client.HScan(ctx, name, 0, "*", surveyCount).Iterator(), see)
	case "zset":
		return inPairs(ctx, client.ZScan(ctx, name, 0, "*", surveyCount).Iterator(), see)
	case "set":
		for each := client.SScan(ctx, name, 0, "*", surveyCount).Iterator(); ; {
			if !each.Next(ctx) {
				return each.Err()
			}
			if err := see([]byte(each.Val())); err != nil {
				return err
			}
		}
	case "stream":
		return entries(ctx, client, name, see)
	}
	return nil
}

// inPairs reads members with what they hold.
func inPairs(ctx context.Context, each *redis.ScanIterator, see func([]byte) error) error {
	for each.Next(ctx) {
		member := each.Val()
		if !each.Next(ctx) {
			break
		}
		if err := see(append([]byte(each.Val()+" "), member...)); err != nil {
			return err
		}
	}
	return each.Err()
}

func entries(ctx context.Context, client redis.UniversalClient, stream string, see func([]byte) error) error {
	for from := "-"; ; {
		messages, err := client.XRangeN(ctx, stream, from, "+", surveyCount).Result()
		if err != nil {
			return err
		}
		for _, m := range messages {
			from = "(" + m.ID
			var all []byte
			for field, value := range m.Values {
				text, _ := value.(string)
				all = append(append(append(all, text...), ' '), field...)
			}
			if err := see(all); err != nil {
				return err
			}
		}
		if len(messages) < surveyCount {
			return nil
		}
	}
}

// copied are the kinds of keys that hold copies of what is in the truth; a node that needs one reads it anew.
var copied = map[string]bool{"delivery": true, "computed": true, "courier": true, "session": true}

// EraseCopies deletes what Redis has of somebody, as is says; copies of records and answers that others are in too are deleted whole. Errors: CodeUnavailable.
func EraseCopies(ctx context.Context, client redis.UniversalClient, is func(Kept) bool, member string) (erased int, err error) {
	err = Survey(ctx, client, func(kept Kept) error {
		kind := key.Kind(kept.Key)
		if kind != "geo" && !copied[kind] || !is(kept) {
			return nil
		}
		if kind == "geo" {
			n, err := client.ZRem(ctx, kept.Key, member).Result()
			erased += int(n)
			return err
		}
		n, err := client.Del(ctx, kept.Key).Result()
		erased += int(n)
		return err
	})
	return erased, err
}
