//go:build linux

package post

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"
)

// Burst is many requests at the same moment, each on a connection of its own that is open already and has had one answer.
type Burst struct {
	Addresses   []string // connections take turns
	Connections int
	First       []byte // what each connection asks before
	Request     []byte
	Ready       func() error // is called between the first requests and the burst
}

// Run answers how long each took, from the moment at which all were let go, the shortest first. Errors: Ready's, a connection that breaks, a refusal.
func (b Burst) Run(ctx context.Context) ([]time.Duration, error) {
	var opening, answering sync.WaitGroup
	took, errs := make([]time.Duration, b.Connections), make([]error, b.Connections)
	let := make(chan time.Time) // closed without a word when there is nothing to do
	opening.Add(b.Connections)
	for i := range b.Connections {
		answering.Go(func() {
			var conn net.Conn
			var answers *bufio.Reader
			conn, answers, errs[i] = b.open(ctx, b.Addresses[i%len(b.Addresses)])
			opening.Done()
			if errs[i] != nil {
				return
			}
			defer conn.Close()
			if began, ok := <-let; ok {
				errs[i] = exchange(conn, answers, b.Request)
				took[i] = time.Since(began)
			}
		})
	}
	opening.Wait()
	err := summed(slices.Clone(errs))
	if err == nil {
		err = b.Ready()
	}
	if err == nil {
		began := time.Now()
		for range b.Connections {
			let <- began
		}
	}
	close(let)
	answering.Wait()
	slices.Sort(took)
	return took, cmp.Or(err, summed(errs))
}

// summed says what went wrong first, and how often: mostly it is the same a thousand times.
func summed(errs []error) error {
	failed := slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(failed) > 1 {
		return fmt.Errorf("%w (and %d more)", failed[0], len(failed)-1)
	}
	return errors.Join(failed...)
}

func (b Burst) open(ctx context.Context, address string) (net.Conn, *bufio.Reader, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("post: %w", err)
	}
	answers := bufio.NewReaderSize(conn, answerBuffer)
	if err := exchange(conn, answers, b.First); err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, answers, nil
}

// exchange sends one request and reads its answer.
func exchange(conn net.Conn, answers *bufio.Reader, request []byte) error {
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(request); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	if err := readAnswer(answers); err != nil {
		return fmt.Errorf("post: %w", err)
	}
	return nil
}
