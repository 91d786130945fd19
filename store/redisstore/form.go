package redisstore

import (
	"context"
	"strconv"
	"sync"

	"github.com/redis/go-redis/v9"

	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// form is a run of position.lua filled in: its arguments, and the errand that carries them. Every report needs one, so they are used again, and the
// command's arguments are pointers into the form, which are made once.
type form struct {
	errand
	keep      bool
	arguments []any

	hash                                  string
	courier, backlog, geo, session, bytes string
	batch, seqs, mark, prefix, limit      raw
	fleet, run, publish, smooth           string
	epoch, fresh, oldest, ttl             int64
	speed                                 float64
}

// raw is bytes as an argument; a pointer to it needs no memory of its own.
type raw []byte

// MarshalBinary implements encoding.BinaryMarshaler.
func (r *raw) MarshalBinary() ([]byte, error) { return *r, nil }

var forms = sync.Pool{New: func() any {
	f := &form{errand: errand{back: make(chan struct{}, 1)}}
	f.arguments = []any{
		"evalsha", &f.hash, 5,
		&f.courier, &f.backlog, &f.geo, &f.session, &f.bytes,
		&f.batch, &f.fresh, &f.seqs, &f.mark, &f.fleet, &f.prefix, &f.epoch, &f.limit, &f.oldest, &f.ttl, &f.run, &f.publish, &f.smooth, &f.speed,
	}
	return f
}}

func newForm() *form { return forms.Get().(*form) }

// free gives a form back for the next report. One whose errand may still be under way is not given back.
func (f *form) free() {
	f.command, f.refused = nil, nil
	forms.Put(f)
}

// fill writes a placement down; limit bounds the backlog, in bytes.
func (f *form) fill(p tracking.Placement, partition int, limit int64) {
	courier := p.Batch.CourierID
	f.courier, f.backlog, f.geo = key.Courier(courier), key.Positions(partition), key.Geo(partition, p.MerchantID)
	f.session, f.bytes, f.fleet = key.Session(courier, p.Batch.Session), key.BacklogBytes(partition), key.Fleet(partition, p.MerchantID)
	f.keep, f.batch, f.mark, f.limit = p.Keep, wire.AppendBatch(f.batch[:0], p.Batch), f.mark[:0], f.limit[:0]
	f.fresh, f.smooth, f.speed = p.Fresh.UnixMilli(), smooth(p.Batch.Fixes), p.Rule.SpeedLimit()
	f.prefix = wire.AppendFleetPositionPrefix(f.prefix[:0], courier)
	if p.Keep {
		f.limit = strconv.AppendInt(f.limit, limit, 10)
	}
	if p.Committed != nil {
		f.mark = strconv.AppendInt(f.mark, p.Committed.DurableSeq, 10)
	}
	f.seqs, f.size = appendRuns(f.seqs[:0], p.Batch), len(f.batch)
}

// smooth is the script's word for whether nothing among fixes is under suspicion.
func smooth(fixes []tracking.Fix) string {
	for i := range fixes {
		if fixes[i].Position.Suspect != tracking.Believed {
			return ""
		}
	}
	return "1"
}

// ask runs the script in a lane. When it is not answered, the form is the lane's.
func (f *form) ask(ctx context.Context, l *lane) (answered bool, answer string, err error) {
	script := positionOnlyScript
	if f.keep {
		script = positionScript
	}
	f.hash = script.Hash()
	f.command = redis.NewCmd(ctx, f.arguments...)
	if answered, err = l.send(ctx, &f.errand); !answered || err != nil && !redis.HasErrorPrefix(err, "NOSCRIPT") {
		return answered, "", err
	}
	if err != nil {
		// A server that does not know the script yet has not run it; this once it comes along.
		keys := []string{f.courier, f.backlog, f.geo, f.session, f.bytes}
		f.command = script.Eval(ctx, l.client, keys, f.arguments[3+len(keys):]...)
	}
	answer, err = f.command.Text()
	return true, answer, err
}
