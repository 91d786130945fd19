package api

import (
	"context"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// requestLimit bounds how long the stores may keep a request waiting: a store that hangs is answered for, not waited for.
const requestLimit = 2 * time.Second

// register puts an operation on the server; errors of its handler become problems.
func register[I, O any](s *Server, operation huma.Operation, handle func(context.Context, *I) (*O, error)) {
	registerOn(s, s.huma, operation, handle)
}

// registerOn is for an operation that is not on the server's own routes.
func registerOn[I, O any](s *Server, on huma.API, operation huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(on, operation, func(ctx context.Context, in *I) (*O, error) {
		limit := requestLimit
		if patient, ok := any(in).(interface{ patience() time.Duration }); ok {
			limit += patient.patience()
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		answer, err := handle(ctx, in)
		if err != nil {
			return nil, s.fail(err)
		}
		return answer, nil
	})
}

// indexed is the path of a list's element.
func indexed(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
