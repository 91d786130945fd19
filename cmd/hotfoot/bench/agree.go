//go:build linux

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	"hotfoot/cmd/hotfoot/bench/rig"
)

// agree makes sure that all readers answer the same, of a delivery of each kind: what is faster because it says less would be no comparison.
func (c *city) agree(ctx context.Context) error {
	links := []string{c.day.Links[0]}
	for i := len(c.Fleet); i < len(c.day.Links); i += max(1, len(c.day.Links)/50) {
		links = append(links, c.day.Links[i])
	}
	answers := map[rig.System][][]byte{}
	systems := append(slices.Clone(readers), rig.Hash) // last, when the others have read it into Redis
	for _, system := range systems {
		server, err := c.StartReader(ctx, system)
		if err != nil {
			return err
		}
		defer server.Stop()
		for _, link := range links {
			answer, err := lasting(ctx, "http://"+server.Address+trackPath(link))
			if err != nil {
				return fmt.Errorf("%s: %w", system, err)
			}
			answers[system] = append(answers[system], answer)
		}
	}
	for _, system := range systems[1:] {
		for i := range links {
			if one, other := answers[systems[0]][i], answers[system][i]; !bytes.Equal(one, other) {
				return fmt.Errorf("%s and %s do not answer the same:\n%s\n%s", systems[0], system, one, other)
			}
		}
	}
	return nil
}

// lasting is a snapshot without what depends on when it is asked for: the server's time, and the ETA beyond that there is one. Only the hot store knows
// a courier's pace, from which it makes a better one.
func lasting(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", answer.Status, body)
	}
	var snapshot map[string]json.RawMessage
	if err := json.Unmarshal(body, &snapshot); err != nil {
		return nil, err
	}
	delete(snapshot, "server_time")
	if string(snapshot["eta"]) != "null" {
		snapshot["eta"] = json.RawMessage(`"known"`)
	}
	return json.Marshal(snapshot)
}

func trackPath(link string) string { return "/v1/track/" + link }
