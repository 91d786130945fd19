package oracle

import "testing"

func TestCheckAccepted(t *testing.T) {
	t.Parallel()
	one, two, three := Point{"p", 1, at(0)}, Point{"p", 2, at(100)}, Point{"p", 3, at(200)}
	taken := Reply{At: after(10), Session: "p", Sent: []Point{one, two, three}, Accepted: 3}
	for name, test := range map[string]struct {
		replies []Reply
		stored  []Point
		want    int
	}{
		"all of it is stored":             {[]Reply{taken}, []Point{one, two, three}, 0},
		"one is missing":                  {[]Reply{taken}, []Point{one, three}, 1},
		"it was accepted later":           {[]Reply{{At: after(1001), Session: "p", Sent: []Point{one}}}, nil, 0},
		"what is missing is asked for":    {[]Reply{taken, {At: after(1500), Session: "p", Accepted: 3, Durable: 1, ResendFrom: 2}}, []Point{one}, 0},
		"what comes after it is missing":  {[]Reply{taken, {At: after(500), Session: "p", Accepted: 3, ResendFrom: 2}}, nil, 1},
		"another session is asked for":    {[]Reply{taken, {At: after(500), Session: "q", ResendFrom: 1}}, []Point{one, two}, 1},
		"it was asked for and then taken": {[]Reply{taken, {At: after(500), Session: "p", ResendFrom: 1}, taken}, nil, 3},
		"what is missing was rejected":    {[]Reply{{At: after(10), Session: "p", Sent: []Point{one, two}, Rejected: []Point{two}}}, []Point{one}, 0},
		"another courier's has it":        {[]Reply{taken}, nil, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := Facts{Phones: []Phone{{Courier: "c1", Name: "Sam", Replies: test.replies}}}
			truth := Truth{Positions: map[string][]Point{"c1": test.stored, "c2": {one, two, three}}}
			found := CheckAccepted(facts, truth, after(1000))
			if len(found) != test.want {
				t.Errorf("found %v, want %d", found, test.want)
			}
		})
	}
}
