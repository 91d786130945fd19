//go:build linux

package layer

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"hotfoot/tracking"
)

// Whoever asks while a snapshot is read has that one, and whoever asks later another.
func TestCrowd(t *testing.T) {
	t.Parallel()
	linker, err := tracking.NewLinker([]byte("a secret of at least thirty-two bytes"))
	if err != nil {
		t.Fatal(err)
	}
	delivery := tracking.NewID()
	synctest.Test(t, func(t *testing.T) {
		readings := 0
		assemble := func(_ context.Context, id tracking.ID) (record tracking.Record, newest *tracking.Position, err error) {
			if readings++; id != delivery {
				return record, nil, errNothing
			}
			time.Sleep(time.Second) // in the bubble's time
			record.Delivery.ID, record.Delivery.Ver, record.Delivery.Status = id, int64(readings), tracking.Created
			return record, nil, nil
		}
		c := &crowd{linker: linker, assemble: assemble, waiting: map[tracking.ID]*reading{}}
		ask := func(token string) *httptest.ResponseRecorder {
			w := httptest.NewRecorder()
			c.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/track/"+token, nil))
			return w
		}
		var answers [100]*httptest.ResponseRecorder
		var asking sync.WaitGroup
		for i := range answers {
			asking.Go(func() { answers[i] = ask(linker.Token(delivery, 0)) })
		}
		asking.Wait()
		for _, w := range answers {
			if w.Code != http.StatusOK || !bytes.Contains(w.Body.Bytes(), []byte(`"ver":1,`)) || !bytes.Equal(w.Body.Bytes(), answers[0].Body.Bytes()) {
				t.Fatalf("one is answered with %d: %s", w.Code, w.Body)
			}
		}
		if w := ask(linker.Token(delivery, 0)); readings != 2 || !bytes.Contains(w.Body.Bytes(), []byte(`"ver":2,`)) {
			t.Errorf("%d readings; who asks afterwards is answered with %s", readings, w.Body)
		}
		if w := ask(linker.Token(tracking.NewID(), 0)); w.Code != http.StatusServiceUnavailable {
			t.Errorf("what cannot be read is answered with %d", w.Code)
		}
		if w := ask("x"); w.Code != http.StatusNotFound || readings != 3 {
			t.Errorf("a forged link is answered with %d", w.Code)
		}
	})
}
