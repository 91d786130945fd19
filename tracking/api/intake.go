package api

import (
	"strconv"
	"time"

	"hotfoot/tracking"
)

// appendIntake writes an intake as phones read it: intakeBody as JSON, and a test holds the two together. No text in it needs escaping.
func appendIntake(b []byte, intake tracking.Intake) []byte {
	b = strconv.AppendInt(append(b, `{"accepted_seq":`...), intake.AcceptedSeq, 10)
	b = strconv.AppendInt(append(b, `,"durable_seq":`...), intake.DurableSeq, 10)
	if intake.ResendFrom != 0 {
		b = strconv.AppendInt(append(b, `,"resend_from":`...), intake.ResendFrom, 10)
	}
	b = strconv.AppendInt(append(b, `,"next_report_s":`...), int64(intake.NextReport/time.Second), 10)
	b = append(b, `,"receipts":[`...)
	for i := range intake.Receipts {
		r := &intake.Receipts[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"index":`...), int64(i), 10)
		if r.Seq > 0 {
			b = strconv.AppendInt(append(b, `,"seq":`...), r.Seq, 10)
		}
		b = append(append(append(b, `,"result":"`...), r.Result...), '"')
		if r.Reject != "" {
			b = append(append(append(b, `,"code":"`...), r.Reject...), '"')
		}
		if r.Suspect != tracking.Believed {
			b = append(append(append(b, `,"suspect":"`...), r.Suspect.String()...), '"')
		}
		b = append(b, '}')
	}
	return append(b, ']', '}')
}
