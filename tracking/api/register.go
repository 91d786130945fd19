package api

import (
	"context"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// register puts an operation on the server; errors of its handler become problems.
func register[I, O any](s *Server, operation huma.Operation, handle func(context.Context, *I) (*O, error)) {
	huma.Register(s.huma, operation, func(ctx context.Context, in *I) (*O, error) {
		answer, err := handle(ctx, in)
		if err != nil {
			return nil, s.fail(err)
		}
		return answer, nil
	})
}

// indexed is the path of a list's element.
func indexed(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }
