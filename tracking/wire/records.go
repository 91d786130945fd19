package wire

import (
	"encoding/binary"

	"hotfoot/tracking"
)

const recordsVersion = 1

// maxRecords bounds what is read as one list.
const maxRecords = 10_000

// MarshalRecords writes a list of records. Layout: version u8, then for each its length as a varint and its JSON.
func MarshalRecords(records []tracking.Record) ([]byte, error) {
	b := []byte{recordsVersion}
	for _, r := range records {
		encoded, err := MarshalRecord(r)
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(b, uint64(len(encoded)))
		b = append(b, encoded...)
	}
	return b, nil
}

// Records reads what MarshalRecords wrote.
func Records(b []byte) ([]tracking.Record, error) {
	if len(b) == 0 {
		return nil, errShort
	}
	if b[0] != recordsVersion {
		return nil, errVersion
	}
	var records []tracking.Record
	for b = b[1:]; len(b) > 0; {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n) {
			return nil, errShort
		}
		if len(records) == maxRecords {
			return nil, errValue
		}
		r, err := Record(b[n : n+int(length)])
		if err != nil {
			return nil, err
		}
		records = append(records, r)
		b = b[n+int(length):]
	}
	return records, nil
}
