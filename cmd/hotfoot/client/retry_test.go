package client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a transport that gives one prepared answer after the other and remembers when it was asked.
type script struct {
	answers []func() (*http.Response, error)
	asked   []time.Time
}

func (s *script) RoundTrip(*http.Request) (*http.Response, error) {
	n := len(s.asked)
	s.asked = append(s.asked, time.Now())
	return s.answers[min(n, len(s.answers)-1)]()
}

func status(code int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		w := httptest.NewRecorder()
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		io.Copy(w, strings.NewReader("{}"))
		return w.Result(), nil
	}
}

func lost() (*http.Response, error) { return nil, errors.New("connection reset") }

func post(ctx context.Context, s *script, seq int64) error {
	_, err := NewWithTransport("http://server", "k", s).PostPositions(ctx, "s", []Position{{Seq: seq}}, 0)
	return err
}

func TestClient_retries(t *testing.T) {
	t.Parallel()
	t.Run("a harmless call survives an outage", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []func() (*http.Response, error){lost, status(503), status(502), status(504), lost, status(200)}}
			if err := post(t.Context(), s, 1); err != nil {
				t.Fatal(err)
			}
			if len(s.asked) != 6 {
				t.Errorf("%d attempts", len(s.asked))
			}
		})
	})
	t.Run("points without a seq are sent once", func(t *testing.T) {
		t.Parallel()
		for _, answer := range []func() (*http.Response, error){lost, status(503)} {
			s := &script{answers: []func() (*http.Response, error){answer}}
			if err := post(t.Context(), s, 0); err == nil || len(s.asked) != 1 {
				t.Errorf("err = %v after %d attempts", err, len(s.asked))
			}
		}
	})
	t.Run("429 is repeated whatever the call", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []func() (*http.Response, error){status(429), status(201)}}
			if _, err := NewWithTransport("http://server", "k", s).CreateCourier(t.Context(), NewCourier{}); err != nil {
				t.Fatal(err)
			}
		})
	})
	t.Run("500 and 400 are final", func(t *testing.T) {
		t.Parallel()
		for _, code := range []int{400, 500} {
			s := &script{answers: []func() (*http.Response, error){status(code)}}
			if err := post(t.Context(), s, 1); err == nil || len(s.asked) != 1 {
				t.Errorf("%d: err = %v after %d attempts", code, err, len(s.asked))
			}
		}
	})
	t.Run("Retry-After is the least that is waited", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			s := &script{answers: []func() (*http.Response, error){status(503, "Retry-After", "7"), status(200)}}
			if err := post(t.Context(), s, 1); err != nil {
				t.Fatal(err)
			}
			if waited := s.asked[1].Sub(s.asked[0]); waited < 7*time.Second || waited > 8*time.Second {
				t.Errorf("waited %v", waited)
			}
		})
	})
	t.Run("the deadline ends it without waiting for it", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			start := time.Now()
			s := &script{answers: []func() (*http.Response, error){status(503, "Retry-After", "60")}}
			err := post(ctx, s, 1)
			var p *Problem
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &p) {
				t.Errorf("err = %v", err)
			}
			if time.Since(start) > time.Second {
				t.Errorf("gave up only after %v", time.Since(start))
			}
		})
	})
	t.Run("cancelling ends the wait", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error)
			go func() {
				done <- post(ctx, &script{answers: []func() (*http.Response, error){status(503, "Retry-After", "60")}}, 1)
			}()
			synctest.Wait()
			cancel()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("err = %v", err)
			}
		})
	})
	t.Run("a server that hangs is asked again", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			first := true
			rt := roundTrip(func(r *http.Request) (*http.Response, error) {
				if first {
					first = false
					<-r.Context().Done()
					return nil, r.Context().Err()
				}
				return status(200)()
			})
			if err := NewWithTransport("http://server", "k", rt).SetShift(t.Context(), true); err != nil {
				t.Error(err)
			}
		})
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestDelay(t *testing.T) {
	t.Parallel()
	for attempt := range 80 {
		ceiling := maxDelay
		if attempt < 6 {
			ceiling = min(maxDelay, firstDelay<<attempt)
		}
		for range 50 {
			if d := delay(attempt, time.Minute); d < time.Minute || d >= time.Minute+ceiling {
				t.Fatalf("attempt %d waits %v", attempt, d)
			}
		}
	}
}

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0,
		"Fri, 02 Jan 2026 03:04:15 GMT": 10 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT": 0,
	} {
		if got := parseRetryAfter(in, now); got != want {
			t.Errorf("%q = %v, want %v", in, got, want)
		}
	}
}
