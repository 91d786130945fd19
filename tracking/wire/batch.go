package wire

import (
	"encoding/binary"
	"math"
	"time"

	"hotfoot/tracking"
)

const batchVersion = 1

// AppendBatch writes a batch. Layout, big-endian: version u8, courier 16 bytes, received_at i64 (Unix ms), session u8 length and bytes, fix count
// u16, fixes of seq i64 and a position each, settled count u16, settled seqs i64 each.
func AppendBatch(b []byte, batch tracking.Batch) []byte {
	b = append(b, batchVersion)
	b = append(b, batch.CourierID[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(batch.ReceivedAt.UnixMilli()))
	b = append(b, byte(len(batch.Session)))
	b = append(b, batch.Session...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(batch.Fixes)))
	for i := range batch.Fixes {
		b = binary.BigEndian.AppendUint64(b, uint64(batch.Fixes[i].Seq))
		b = AppendPosition(b, batch.Fixes[i].Position)
	}
	b = binary.BigEndian.AppendUint16(b, uint16(len(batch.Settled)))
	for _, seq := range batch.Settled {
		b = binary.BigEndian.AppendUint64(b, uint64(seq))
	}
	return b
}

// Batch reads what AppendBatch wrote.
func Batch(b []byte) (tracking.Batch, error) {
	var batch tracking.Batch
	r := reader{rest: b}
	if r.byte() != batchVersion {
		if len(b) == 0 {
			return batch, errShort
		}
		return batch, errVersion
	}
	copy(batch.CourierID[:], r.take(16))
	batch.ReceivedAt = time.UnixMilli(r.int64()).UTC()
	batch.Session = string(r.take(int(r.byte())))
	fixes := int(r.uint16())
	if r.bad || fixes*(8+PositionSize) > len(r.rest) {
		return batch, errShort
	}
	batch.Fixes = make([]tracking.Fix, fixes)
	for i := range batch.Fixes {
		batch.Fixes[i].Seq = r.int64()
		position, err := Position(r.take(PositionSize))
		if err != nil {
			return batch, err
		}
		batch.Fixes[i].Position = position
		if batch.Fixes[i].Seq < 0 {
			return batch, errValue
		}
	}
	settled := int(r.uint16())
	if r.bad || settled*8 != len(r.rest) {
		return batch, errShort
	}
	for range settled {
		seq := r.int64()
		if seq < 1 || seq == math.MaxInt64 {
			return batch, errValue
		}
		batch.Settled = append(batch.Settled, seq)
	}
	return batch, nil
}

// reader takes bytes off the front; once they run out it is bad and answers zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *reader) int64() int64 {
	if b := r.take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}
