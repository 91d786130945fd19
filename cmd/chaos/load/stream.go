package load

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"hotfoot/cmd/chaos/rig"
)

// stream is server-sent events as frames.
type stream struct {
	body   io.ReadCloser
	lines  *bufio.Reader
	cancel context.CancelFunc
}

// streams keeps no connection for another stream.
var streams = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// openStream opens a customer's stream of events.
func openStream(ctx context.Context, v *viewer, node *rig.Node, since string) (frames, error) {
	ctx, cancel := context.WithCancel(ctx)
	impatient := time.AfterFunc(answerPatience, cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, node.URL()+"/v1/track/"+v.delivery.token+"/events", nil)
	if err != nil {
		cancel()
		return nil, err
	}
	request.Header.Set("Accept", "text/event-stream")
	if since != "" {
		request.Header.Set("Last-Event-ID", since)
	}
	response, err := streams.Do(request)
	if err == nil && response.StatusCode != http.StatusOK {
		_ = response.Body.Close()
		err = &notOpened{response.StatusCode, fmt.Errorf("no stream: %s", response.Status)}
	}
	if err != nil || !impatient.Stop() {
		cancel()
		return nil, err
	}
	return &stream{body: response.Body, lines: bufio.NewReader(response.Body), cancel: cancel}, nil
}

func (s *stream) next(patience time.Duration) ([]byte, error) {
	impatient := time.AfterFunc(patience, s.cancel)
	defer impatient.Stop()
	for {
		line, err := s.lines.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		const data = "data: "
		if len(line) > len(data) && string(line[:len(data)]) == data {
			return line[len(data):], nil
		}
	}
}

func (s *stream) close() {
	s.cancel()
	_ = s.body.Close()
}
