package oracle

import (
	"slices"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func after(ms int64) time.Time { return noon.Add(time.Duration(ms) * time.Millisecond) }

func at(ms int64) int64 { return after(ms).UnixMilli() }

// story is a delivery that went well: every test breaks one thing in it.
type story struct {
	Facts
	Truth
}

func goodStory() *story {
	one, two, three := Point{"p", 1, at(0)}, Point{"p", 2, at(100)}, Point{"p", 3, at(200)}
	bad, bare := Point{"p", 4, at(9_000_000)}, Point{"", 0, at(150)}
	return &story{
		Facts: Facts{
			Phones: []Phone{
				{Courier: "c1", Name: "Sam", Made: []Point{one, two, three, bad}, Replies: []Reply{
					{At: after(210), Session: "p", Sent: []Point{one, two}, Accepted: 2},
					{At: after(400), Session: "p", Sent: []Point{three, bad}, Rejected: []Point{bad}, Accepted: 4, Durable: 2, ResendFrom: 3},
					{At: after(600), Session: "p", Sent: []Point{three}, Accepted: 4, Durable: 4, Durable200: true},
				}},
				{Courier: "c2", Name: "Kim", Made: []Point{bare}, Replies: []Reply{{At: after(300), Sent: []Point{bare}, Durable200: true}}},
			},
			Acks: []Ack{
				{"d1", "dispatcher", "", 2, "assigned", after(10)},
				{"d1", "Sam", "step-1", 3, "picked_up", after(20)},
				{"d1", "Sam", "step-2", 4, "en_route", after(30)},
				{"d1", "Sam", "step-3", 5, "arriving", after(300)},
				{"d1", "Sam", "step-4", 6, "delivered", after(900)},
			},
			Answers: []Answer{
				{Kind: Positions, Who: "Sam", Node: "api-1", At: after(0), Took: time.Second, Code: 202},
				{Kind: Statuses, Who: "Sam", Node: "api-1", At: after(0), Took: time.Second, Code: 503},
				{Kind: Statuses, Who: "Sam", Node: "api-2", At: after(0), Took: time.Millisecond, Err: "connection reset"},
				{Kind: Dispatch, Who: "dispatcher", Node: "api-2", At: after(0), Took: time.Millisecond, Code: 409},
				{Kind: Statuses, Who: "Sam", Node: "api-2", At: after(0), Took: 6 * time.Second, Err: "timeout", Excused: true},
			},
			Viewers: []Viewer{{Name: "viewer", Delivery: "d1", Frames: []Frame{
				{At: after(15), Type: "open", Node: "gateway-1"},
				{At: after(16), Type: "snapshot", Epoch: 1, Ver: 2, Status: "assigned", Events: []Event{{1, "created"}, {2, "assigned"}}, Courier: "Sam", Live: true},
				{At: after(21), Type: "status", Epoch: 1, Ver: 3, Status: "picked_up"},
				{At: after(31), Type: "status", Epoch: 1, Ver: 4, Status: "en_route"},
				{At: after(32), Type: "view", Epoch: 1, SV: 4, Courier: "Sam", Visible: true},
				{At: after(40), Type: "position", SV: 4, Position: at(0)},
				{At: after(150), Type: "close"},
				{At: after(350), Type: "open", Node: "gateway-2", Epoch: 1, Ver: 4},
				{At: after(351), Type: "snapshot", Epoch: 1, Ver: 5, Status: "arriving", Events: []Event{{5, "arriving"}}, Courier: "Sam", Visible: true, Position: at(100), Live: true},
				{At: after(360), Type: "position", SV: 5, Position: at(200)},
				{At: after(800), Type: "tick", SV: 5, Live: true},
				{At: after(901), Type: "status", Epoch: 1, Ver: 6, Status: "delivered"},
				{At: after(902), Type: "close", Code: 4001},
			}}},
			Maps: []Map{{
				Name:      "map",
				Positions: []MapPosition{{after(1), "c1", at(0)}, {after(300), "c1", at(200)}, {after(301), "c2", at(150)}},
				Events:    []MapEvent{{after(31), "d1", Event{4, "en_route"}}},
			}},
		},
		Truth: Truth{
			Positions: map[string][]Point{"c1": {one, two, three}, "c2": {bare}},
			Events: map[string][]StoredEvent{"d1": {
				{1, "created", ""}, {2, "assigned", ""}, {3, "picked_up", "step-1"}, {4, "en_route", "step-2"}, {5, "arriving", "step-3"}, {6, "delivered", "step-4"},
			}},
			Deliveries: map[string]StoredDelivery{"d1": {6, "delivered"}},
			Couriers:   map[string]string{"Sam": "c1", "Kim": "c2"},
		},
	}
}

func (s *story) frames() *[]Frame { return &s.Viewers[0].Frames }

// frame finds the nth frame of a type.
func (s *story) frame(kind string, n int) *Frame {
	for i := range *s.frames() {
		if f := &(*s.frames())[i]; f.Type == kind {
			if n == 0 {
				return f
			}
			n--
		}
	}
	panic("no such frame")
}

func (s *story) drop(f *Frame) {
	*s.frames() = slices.DeleteFunc(*s.frames(), func(g Frame) bool { return g.At.Equal(f.At) })
}

// insert puts a frame behind the one at that time.
func (s *story) insert(f Frame) {
	frames := s.frames()
	i := slices.IndexFunc(*frames, func(g Frame) bool { return g.At.After(f.At) })
	*frames = slices.Insert(*frames, i, f)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	t.Run("a good story breaks nothing", func(t *testing.T) {
		t.Parallel()
		s := goodStory()
		if found := Check(s.Facts, s.Truth); len(found) > 0 {
			t.Error(found)
		}
		if n := s.Phones[0].Acked() + s.Phones[1].Acked(); n != 4 {
			t.Errorf("%d positions count as acknowledged, want 4", n)
		}
	})
	for name, broken := range map[string]struct {
		spoil     func(*story)
		invariant string
		fault     Fault
	}{
		"I1 a durable position is missing":                        {func(s *story) { s.Positions["c1"] = s.Positions["c1"][:2] }, "I1", Lost},
		"I1 a position answered 200 without a seq is missing":     {func(s *story) { s.Positions["c2"] = nil }, "I1", Lost},
		"I1 a durable position has another time":                  {func(s *story) { s.Positions["c1"][1].RecordedAt++ }, "I1", Lost},
		"I1 a position is there twice":                            {func(s *story) { s.Positions["c1"] = append(s.Positions["c1"], Point{"p", 2, at(101)}) }, "I1", Duplicated},
		"I1 a rejected position is there":                         {func(s *story) { s.Positions["c1"] = append(s.Positions["c1"], Point{"p", 4, at(9_000_000)}) }, "I1", Wrong},
		"I1 a position is there that nobody sent":                 {func(s *story) { s.Positions["c2"] = append(s.Positions["c2"], Point{"", 0, at(1)}) }, "I1", Wrong},
		"I1 an acknowledged status is missing":                    {func(s *story) { s.end(5, "arriving") }, "I1", Lost},
		"I1 an acknowledged status became another":                {func(s *story) { s.Events["d1"][3].Status = "failed" }, "I1", Lost},
		"I1 an acknowledged status is another request's":          {func(s *story) { s.Events["d1"][3].EventID = "step-9" }, "I1", Lost},
		"I1 a status is there twice":                              {func(s *story) { s.Events["d1"][4].EventID = "step-2" }, "I1", Duplicated},
		"I1 a retry was answered another version":                 {func(s *story) { s.Acks = append(s.Acks, Ack{"d1", "Sam", "step-2", 5, "arriving", after(99)}) }, "I1", Duplicated},
		"I1 what a merchant was answered is missing":              {func(s *story) { s.Acks[0].Ver = 7 }, "I1", Lost},
		"I2 a status was never told":                              {func(s *story) { s.drop(s.frame("status", 1)) }, "I2", Lost},
		"I2 a status was told twice":                              {func(s *story) { s.insert(Frame{At: after(33), Type: "status", Epoch: 1, Ver: 4, Status: "en_route"}) }, "I2", Duplicated},
		"I2 an old status was told again":                         {func(s *story) { s.insert(Frame{At: after(33), Type: "status", Epoch: 1, Ver: 3, Status: "picked_up"}) }, "I2", Duplicated},
		"I2 statuses came in the wrong order":                     {func(s *story) { s.frame("status", 0).Ver, s.frame("status", 0).Status = 4, "en_route" }, "I2", Lost},
		"I2 a status came before the snapshot":                    {func(s *story) { s.drop(s.frame("snapshot", 1)) }, "I2", Disordered},
		"I2 a snapshot went back":                                 {func(s *story) { s.rewind() }, "I2", Disordered},
		"I2 a snapshot leaves out what was missed":                {func(s *story) { s.frame("snapshot", 1).Events = nil }, "I2", Lost},
		"I2 a newcomer's snapshot leaves out the beginning":       {func(s *story) { s.frame("snapshot", 0).Events = []Event{{2, "assigned"}} }, "I2", Lost},
		"I2 a resumed connection tells everything again":          {func(s *story) { s.tellAgain() }, "I2", Duplicated},
		"I2 a snapshot has a hole":                                {func(s *story) { s.frame("snapshot", 0).Events[1].Ver = 3 }, "I2", Disordered},
		"I2 a tick knows more than was told":                      {func(s *story) { s.frame("tick", 0).SV = 6 }, "I2", Lost},
		"I2 a position knows more than was told":                  {func(s *story) { s.frame("position", 0).SV = 5 }, "I2", Lost},
		"I2 a status is of another epoch":                         {func(s *story) { s.frame("status", 1).Epoch = 2 }, "I2", Disordered},
		"I2 a viewer never saw the end":                           {func(s *story) { s.drop(s.frame("status", 2)) }, "I2", Lost},
		"I2 a viewer never saw anything":                          {func(s *story) { *s.frames() = nil }, "I2", Lost},
		"I3 a position frame goes back":                           {func(s *story) { s.frame("position", 1).Position = at(0) }, "I3", Disordered},
		"I3 a snapshot goes back far, at another node":            {func(s *story) { s.goBack(5001) }, "I3", Disordered},
		"I3 a snapshot goes back on the same connection":          {func(s *story) { s.goBackHere() }, "I3", Disordered},
		"I3 the live map goes back":                               {func(s *story) { s.Maps[0].Positions[1].RecordedAt = at(-100) }, "I3", Disordered},
		"I4 a status was shown that Postgres has not":             {func(s *story) { s.frame("status", 2).Ver, s.frame("tick", 0).SV = 7, 6 }, "I4", Lost},
		"I4 a status was shown that Postgres has otherwise":       {func(s *story) { s.frame("status", 0).Status = "cancelled" }, "I4", Lost},
		"I4 an event of a snapshot is not in Postgres":            {func(s *story) { s.frame("snapshot", 0).Events[0].Status = "cancelled" }, "I4", Lost},
		"I4 a position was shown that Postgres has not":           {func(s *story) { s.frame("position", 1).Position = at(201) }, "I4", Lost},
		"I4 another courier's position was shown":                 {func(s *story) { s.frame("position", 1).Position = at(150) }, "I4", Lost},
		"I4 the live map showed a position that Postgres has not": {func(s *story) { s.Maps[0].Positions[2].RecordedAt = at(151) }, "I4", Lost},
		"I4 the live map showed a status that Postgres has not":   {func(s *story) { s.Maps[0].Events[0].Ver = 9 }, "I4", Lost},
		"I6 an answer took too long":                              {func(s *story) { s.Answers[0].Took = 5001 * time.Millisecond }, "I6", Wrong},
		"I6 a request hung":                                       {func(s *story) { s.Answers[4].Excused = false }, "I6", Wrong},
		"I6 an answer is no answer":                               {func(s *story) { s.Answers[0].Code = 500 }, "I6", Wrong},
		"I6 a gateway timed out":                                  {func(s *story) { s.Answers[0].Code = 504 }, "I6", Wrong},
		"I6 a legal status was refused":                           {func(s *story) { s.Answers[1].Code = 409 }, "I6", Wrong},
		"I6 a courier on duty was refused":                        {func(s *story) { s.Answers[0].Code = 403 }, "I6", Wrong},
		"I6 a good link opened nothing":                           {func(s *story) { s.Answers[0].Kind, s.Answers[0].Code = Opening, 404 }, "I6", Wrong},
		"I7 a position was shown too early":                       {func(s *story) { s.frame("position", 0).SV = 3 }, "I7", Wrong},
		"I7 a position was shown in the snapshot of the end":      {func(s *story) { s.frame("snapshot", 1).Ver = 6 }, "I7", Wrong},
		"I7 a position was shown after the end":                   {func(s *story) { s.insertLast(Frame{At: after(901), Type: "position", SV: 5, Position: at(200)}) }, "I7", Wrong},
		"I7 a position was shown that is said to be hidden":       {func(s *story) { s.frame("snapshot", 1).Visible = false }, "I7", Wrong},
		"I8 accepted_seq is below durable_seq":                    {func(s *story) { s.Phones[0].Replies[2].Accepted = 3 }, "I8", Wrong},
		"I8 what was durable is asked for again":                  {func(s *story) { s.Phones[0].Replies[2].ResendFrom = 2 }, "I8", Wrong},
		"I8 a phone could not empty its buffer":                   {func(s *story) { s.Phones[0].Left = []Point{{"p", 3, at(200)}} }, "I8", Wrong},
		"I8 versions in Postgres have a hole":                     {func(s *story) { s.Events["d1"][4].Ver = 7 }, "I8", Disordered},
		"I8 a delivery is ahead of its events":                    {func(s *story) { s.Deliveries["d1"] = StoredDelivery{7, "delivered"} }, "I8", Wrong},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodStory()
			broken.spoil(s)
			found := Check(s.Facts, s.Truth)
			if !slices.ContainsFunc(found, func(v Violation) bool { return v.Invariant == broken.invariant && v.Fault == broken.fault }) {
				t.Errorf("found %v, want %s %s", found, broken.invariant, broken.fault)
			}
		})
	}
}

// goBack has the snapshot at the second node show a marker that lags so far behind the first one's.
func (s *story) goBack(ms int64) {
	s.frame("position", 0).Position = at(100 + ms)
	s.Positions["c1"] = append(s.Positions["c1"], Point{"p", 9, at(100 + ms)})
	s.Phones[0].Made = append(s.Phones[0].Made, Point{"p", 9, at(100 + ms)})
}

// goBackHere has the server show everything again, with an older marker.
func (s *story) goBackHere() {
	again := *s.frame("snapshot", 1)
	again.At, again.Events, again.Position = after(370), nil, at(100)
	s.insert(again)
}

// end makes an earlier event the last one that Postgres has.
func (s *story) end(ver int64, status string) {
	s.Events["d1"] = s.Events["d1"][:ver]
	s.Deliveries["d1"] = StoredDelivery{ver, status}
}

// rewind lets a gateway that is behind greet the viewer who comes back.
func (s *story) rewind() {
	f := s.frame("snapshot", 1)
	f.Ver, f.Status, f.Position = 3, "picked_up", 0
	f.Events = []Event{{1, "created"}, {2, "assigned"}, {3, "picked_up"}}
}

// tellAgain lets a gateway greet the viewer who comes back as if they knew nothing.
func (s *story) tellAgain() {
	f := s.frame("snapshot", 1)
	f.Events = nil
	for _, e := range s.Events["d1"][:5] {
		f.Events = append(f.Events, Event{e.Ver, e.Status})
	}
}

func (s *story) insertLast(f Frame) { *s.frames() = append(*s.frames(), f) }

func TestCheck_allows(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*story){
		"an accepted position that was never durable to be gone": func(s *story) {
			s.Phones[0].Replies = s.Phones[0].Replies[:1]
			s.Positions["c1"] = nil
			*s.frames() = nil
			s.insertLast(Frame{Type: "open"})
			s.insertLast(Frame{Type: "snapshot", Epoch: 1, Ver: 6, Status: "delivered", Events: []Event{
				{1, "created"}, {2, "assigned"}, {3, "picked_up"}, {4, "en_route"}, {5, "arriving"}, {6, "delivered"},
			}})
			s.Maps = nil
		},
		"a snapshot of another epoch to go back": func(s *story) {
			s.rewind()
			s.frame("snapshot", 1).Epoch = 2
			*s.frames() = slices.DeleteFunc(*s.frames(), func(f Frame) bool { return f.At.After(after(351)) })
			for i, e := range s.Events["d1"][3:] {
				s.insertLast(Frame{At: after(900 + int64(i)), Type: "status", Epoch: 2, Ver: e.Ver, Status: e.Status})
			}
		},
		"a status to be told again to a viewer who comes back and does not say what they know": func(s *story) {
			s.tellAgain()
			s.frame("open", 1).Epoch, s.frame("open", 1).Ver = 0, 0
		},
		"a node that is a little behind, to a viewer who comes from another one": func(s *story) { s.goBack(50) },
		"a late position frame of the version before":                            func(s *story) { s.frame("position", 1).SV = 4 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodStory()
			change(s)
			if found := Check(s.Facts, s.Truth); len(found) > 0 {
				t.Error(found)
			}
		})
	}
}

func TestCheck_longHistory(t *testing.T) {
	t.Parallel()
	// A snapshot carries at most so many events, so that one who missed more does not get them all.
	s := goodStory()
	s.Events["d1"], s.Acks = nil, nil
	var told []Event
	for ver := int64(1); ver <= 100; ver++ {
		status := []string{"en_route", "arriving"}[ver%2]
		s.Events["d1"] = append(s.Events["d1"], StoredEvent{Ver: ver, Status: status})
		told = append(told, Event{ver, status})
	}
	s.Deliveries["d1"] = StoredDelivery{100, "en_route"}
	s.Maps = nil
	show := func(events []Event) []Violation {
		*s.frames() = []Frame{{Type: "open"}, {Type: "snapshot", Epoch: 1, Ver: 100, Status: "en_route", Events: events}}
		return Check(s.Facts, s.Truth)
	}
	if found := show(told[100-maxSnapshotEvents:]); len(found) > 0 {
		t.Error(found)
	}
	if found := show(told[101-maxSnapshotEvents:]); len(found) == 0 {
		t.Error("one event less is not noticed")
	}
}

func TestViolation_quotesTheTrail(t *testing.T) {
	t.Parallel()
	s := goodStory()
	s.insert(Frame{At: after(33), Type: "status", Epoch: 1, Ver: 4, Status: "en_route"})
	found := Check(s.Facts, s.Truth)
	if len(found) != 1 || !strings.Contains(found[0].String(), "gateway-1 since 0.0") || !strings.Contains(found[0].String(), "status 1.4") {
		t.Errorf("%v", found)
	}
}
