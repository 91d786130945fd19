package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"hotfoot/tracking"
	"hotfoot/tracking/frame"
)

// AuditQueries is where it is read who changed what. Errors: CodeUnavailable.
type AuditQueries interface {
	// Audit lists entries, the newest first.
	Audit(ctx context.Context, f tracking.AuditFilter) ([]tracking.AuditEntry, error)
}

type (
	auditBody struct {
		ID        string          `json:"id"`
		At        frame.Time      `json:"at"`
		By        authorBody      `json:"by"`
		Action    string          `json:"action" doc:"insert, update, delete or truncate"`
		Subject   string          `json:"subject" doc:"What was changed, such as api_keys, couriers, deliveries or merchants"`
		SubjectID string          `json:"subject_id"`
		Changes   json.RawMessage `json:"changes" doc:"By field [before, after], or null where that would tell of people"`
	}
	authorBody struct {
		Kind string  `json:"kind" doc:"merchant, ops or courier for the holder of a key; operator for a command on the server; system for Hotfoot itself; database for anybody else"`
		ID   *string `json:"id" doc:"Of the key, or of the courier"`
	}
)

func auditOut(e tracking.AuditEntry) auditBody {
	body := auditBody{
		ID: strconv.FormatInt(e.ID, 10), At: frame.Time(e.At), By: authorBody{Kind: string(e.By.Kind)},
		Action: e.Action, Subject: e.Subject, SubjectID: e.SubjectID, Changes: json.RawMessage(e.Changes),
	}
	if !e.By.ID.IsZero() {
		id := e.By.ID.String()
		body.By.ID = &id
	}
	return body
}

func (s *Server) mountAudit() {
	register(s, s.operation("Audit", "list-audit", http.MethodGet, "/v1/audit", "List who changed what, newest first", tracking.RoleMerchant), s.listAudit)
}

func (s *Server) listAudit(ctx context.Context, in *struct {
	SubjectID string `query:"subject_id" doc:"Only changes of this key, courier or delivery"`
	Cursor    string `query:"cursor"`
	Limit     int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
},
) (*out[page[auditBody]], error) {
	filter := tracking.AuditFilter{Merchant: actorOf(ctx).MerchantID, Limit: in.Limit + 1}
	if in.SubjectID != "" {
		subject, err := parseBodyID("query.subject_id", in.SubjectID)
		if err != nil {
			return nil, err
		}
		filter.Subject = subject.String()
	}
	if in.Cursor != "" {
		before, err := strconv.ParseInt(in.Cursor, 10, 64)
		if err != nil || before < 1 {
			return nil, tracking.Invalid("query.cursor", "is not a cursor")
		}
		filter.Before = before
	}
	entries, err := s.Trail.Audit(ctx, filter)
	if err != nil {
		return nil, err
	}
	cursorOf := func(e tracking.AuditEntry) string { return strconv.FormatInt(e.ID, 10) }
	return &out[page[auditBody]]{pageOf(entries, in.Limit, cursorOf, auditOut)}, nil
}
