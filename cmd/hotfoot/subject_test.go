package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/tracking"
	"hotfoot/tracking/key"
	"hotfoot/tracking/wire"
)

// The people of the test, and where they are: nobody else is called so or was there.
const (
	courierName, courierPhone   = "Quillon Abernathy", "+49 171 5550142"
	guestName, guestPhone       = "Mina \"Birdy\" Vogel", "+49 (170) 555-0199"
	guestAddress, guestNote     = "9 Secret Street", "Ring twice\nfor Mina \"Birdy\" Vogel"
	stayingName, stayingAddress = "Otto Bleibtreu", "5 Open Road"
)

var (
	zonePlace = [2]float64{37.712345, -122.443219}
	doorPlace = [2]float64{37.7654321, -122.4329876}
	doorProof = [2]float64{37.7654987, -122.4329123}
	wayPlaces = [3][2]float64{{37.7512345, -122.4198765}, {37.7523456, -122.4187654}, {37.7534567, -122.4176543}}
	lostPlace = [2]float64{37.7545678, -122.4165432}
)

// people is a deployment in which everything is kept that can be: a courier with positions in Postgres, in the backlog and among the dead letters, and a
// recipient with a delivery that was delivered.
type people struct {
	*deployment
	url   string
	store *postgres.Store
	courier,
	other struct{ ID, Token string }
	delivered, staying struct {
		ID    string
		Token string `json:"tracking_token"`
	}
}

func newPeople(t *testing.T) *people {
	t.Helper()
	p := &people{deployment: newDeployment(t)}
	p.store = postgres.New(p.pool, nil)
	p.url = p.start("api").url // no worker: the backlog waits
	call(t, "POST", p.url+"/v1/couriers", p.merchantKey, object{"name": courierName, "vehicle": "bike", "phone": courierPhone}, &p.courier, 201)
	call(t, "POST", p.url+"/v1/couriers", p.merchantKey, object{"name": "Sam", "vehicle": "bike"}, &p.other, 201)
	call(t, "PATCH", p.url+"/v1/couriers/"+p.courier.ID, p.merchantKey, object{"hidden_zones": []object{{"lat": zonePlace[0], "lon": zonePlace[1], "radius_m": 200}}}, nil, 200)
	p.shift(p.courier.Token, true)
	order := func(into any, name, phone, address, note string, door [2]float64, courier string) {
		call(t, "POST", p.url+"/v1/deliveries", p.merchantKey, object{
			"external_id": "order-" + address, "pickup": object{"lat": 37.7812, "lon": -122.4112, "name": "Corner Kitchen"}, "courier_id": courier,
			"dropoff": object{"lat": door[0], "lon": door[1], "address": address}, "recipient": object{"name": name, "phone": phone}, "note": note,
		}, into, 201)
	}
	order(&p.delivered, guestName, guestPhone, guestAddress, guestNote, doorPlace, p.courier.ID)
	order(&p.staying, stayingName, "+49 170 5550123", stayingAddress, "", [2]float64{37.79, -122.42}, p.other.ID)

	p.report(p.courier.Token, 1, wayPlaces[0])
	for _, status := range []string{"picked_up", "en_route", "arriving", "delivered"} {
		body := object{"status": status, "client_event_id": status, "position": object{"lat": doorProof[0], "lon": doorProof[1]}}
		if status == "delivered" {
			body["proof"] = object{"left_at": "door", "name": guestName}
		}
		call(t, "POST", p.url+"/v1/courier/deliveries/"+p.delivered.ID+"/status", p.courier.Token, body, nil, 200)
	}
	p.report(p.courier.Token, 2, wayPlaces[1])
	p.report(p.other.Token, 1, [2]float64{}) // refused: off duty
	for path, secret := range map[string]string{
		"/v1/deliveries/" + p.delivered.ID: p.merchantKey, "/v1/deliveries": p.merchantKey, "/v1/ops/couriers": p.merchantKey, "/v1/ops/summary": p.merchantKey,
		"/v1/ops/leaderboard": p.merchantKey, "/v1/track/" + p.delivered.Token: "", "/v1/courier/deliveries": p.courier.Token, "/v1/courier/viewers": p.courier.Token,
		"/v1/track/" + p.staying.Token: "",
	} {
		call(t, "GET", p.url+path, secret, nil, nil, 200)
	}
	id := p.courierID()
	batch := tracking.Batch{CourierID: id, Session: "stored", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: 1, Position: tracking.Position{
		RecordedAt: time.Now().Add(-time.Minute), Lat: wayPlaces[2][0], Lon: wayPlaces[2][1],
	}}}}
	_, err := p.store.Store(t.Context(), []tracking.Batch{batch})
	must(t, err)
	batch.Session, batch.Fixes[0].Position.Lat, batch.Fixes[0].Position.Lon = "lost", lostPlace[0], lostPlace[1]
	payload := wire.AppendBatch(nil, batch)
	_, err = p.store.Bury(t.Context(), tracking.DeadLetter{ID: tracking.NewID(), Entry: "x 1-0", Payload: payload, Batch: batch, Reason: "x", BuriedAt: time.Now()})
	must(t, err)
	_, err = p.store.Bury(t.Context(), tracking.DeadLetter{ID: tracking.NewID(), Entry: "x 2-0", Payload: append(payload, "garbled"...), Reason: "x", BuriedAt: time.Now()})
	must(t, err)
	return p
}

func (p *people) courierID() tracking.ID {
	id, err := tracking.ParseID(p.courier.ID)
	must(p.t, err)
	return id
}

func (p *people) shift(token string, on bool) {
	call(p.t, "PUT", p.url+"/v1/courier/shift", token, object{"on_duty": on}, nil, 200)
}

func (p *people) report(token string, seq int, at [2]float64) {
	p.t.Helper()
	body := object{"session": "phone", "positions": []object{{"seq": seq, "recorded_at": time.Now().UTC().Format(time.RFC3339Nano), "lat": at[0], "lon": at[1]}}}
	want := 202
	if at == [2]float64{} {
		want = 403
	}
	call(p.t, "POST", p.url+"/v1/courier/positions", token, body, nil, want)
}

// subject runs a command, and answers what it said.
func (p *people) subject(wantCode int, words ...string) (out, problems string) {
	p.t.Helper()
	cmd := p.command(append([]string{"subject"}, words...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != wantCode {
		p.t.Fatalf("subject %v: exit code %d, want %d:\n%s%s", words, code, wantCode, &stdout, &stderr)
	}
	return stdout.String(), stderr.String()
}

// everything is a dump of both stores that nothing of the product has made.
func (p *people) everything() string {
	p.t.Helper()
	var all strings.Builder
	dump, err := exec.LookPath("pg_dump")
	must(p.t, err)
	text, err := exec.CommandContext(p.t.Context(), dump, "--inserts", "--dbname", p.pool.Config().ConnString()).CombinedOutput()
	if err != nil {
		p.t.Fatalf("%v: %s", err, text)
	}
	all.Write(text)
	client := p.hot()
	for _, name := range keysOf(p.t, client) {
		fmt.Fprintf(&all, "\nredis %s ", name)
		switch kind := client.Type(p.t.Context(), name).Val(); kind {
		case "string":
			all.WriteString(client.Get(p.t.Context(), name).Val())
		case "hash":
			fmt.Fprint(&all, client.HGetAll(p.t.Context(), name).Val())
		case "zset":
			fmt.Fprint(&all, client.ZRangeWithScores(p.t.Context(), name, 0, -1).Val())
		case "stream":
			fmt.Fprint(&all, client.XRange(p.t.Context(), name, "-", "+").Val())
		case "set":
			members, _ := client.SScan(p.t.Context(), name, 0, "*", 10_000).Val()
			fmt.Fprint(&all, members)
		case "none": // its time has ended since it was listed
		default:
			p.t.Errorf("%s is a %s, into which nobody looks", name, kind)
		}
	}
	return all.String()
}

// ways are how a place may stand in a dump: in words of Postgres, and in bytes.
func ways(place [2]float64) (all []string) {
	for _, v := range place {
		raw := binary.BigEndian.AppendUint64(nil, math.Float64bits(v))
		all = append(all, strconv.FormatFloat(v, 'f', -1, 64), string(raw), hex.EncodeToString(raw))
	}
	return all
}

// finds counts in how many of its ways something stands in a dump.
func finds(dump string, texts ...string) (found []string) {
	for _, text := range texts {
		if strings.Contains(dump, text) {
			found = append(found, strconv.Quote(text))
		}
	}
	return found
}

func TestSubject_erase_courier(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	id := p.courierID()
	person := []string{courierName, "Abernathy", courierPhone, "5550142"}
	places := slices.Concat(ways(zonePlace), ways(wayPlaces[0]), ways(wayPlaces[1]), ways(wayPlaces[2]), ways(lostPlace), ways(doorProof))
	before := p.everything()
	if n := len(finds(before, person...)); n != len(person) {
		t.Fatalf("beforehand there are %d of %d words", n, len(person))
	}
	if n := len(finds(before, places...)); n < 12 {
		t.Fatalf("beforehand there are only %v", finds(before, places...))
	}

	if _, said := p.subject(1, "erase", "--courier", p.courier.ID); !strings.Contains(said, "on duty") {
		t.Errorf("of one on duty it said %q", said)
	}
	call(t, "POST", p.url+"/v1/deliveries/"+p.staying.ID+"/assign", p.merchantKey, object{"courier_id": p.courier.ID}, nil, 200)
	p.shift(p.courier.Token, false)
	if _, said := p.subject(1, "erase", "--courier", p.courier.ID); !strings.Contains(said, "1 deliveries that are not over") {
		t.Errorf("of one with something to do it said %q", said)
	}
	if n := len(finds(p.everything(), person...)); n != len(person) {
		t.Error("what was refused has erased something")
	}
	call(t, "POST", p.url+"/v1/deliveries/"+p.staying.ID+"/assign", p.merchantKey, object{"courier_id": p.other.ID}, nil, 200)

	var document map[string][]object
	exported, _ := p.subject(0, "export", "--courier", p.courier.ID)
	var raw map[string]json.RawMessage
	must(t, json.Unmarshal([]byte(exported), &raw))
	delete(raw, "exported_at")
	rest, err := json.Marshal(raw)
	must(t, err)
	must(t, json.Unmarshal(rest, &document))
	if len(document["audit"]) < 4 { // hired, on and off duty, what they reported
		t.Errorf("exported of what they changed is %v", document["audit"])
	}
	for section, want := range map[string]int{"courier": 1, "shifts": 1, "keys": 1, "sessions": 2, "standings": 0, "dead_letters": 1, "deliveries": 1, "events": 4, "positions": 1, "positions_waiting": 2} {
		if len(document[section]) != want {
			t.Errorf("exported are %d %s, want %d", len(document[section]), section, want)
		}
	}
	if found := finds(exported, courierName, courierPhone, "37.7512345", "37.7534567", "37.712345"); len(found) != 5 {
		t.Errorf("of what is kept only %v is exported", found)
	}
	if found := finds(exported, "Vogel", "Bleibtreu", guestAddress, `"hash"`); len(found) != 0 {
		t.Errorf("exported are others' %v", found)
	}

	said, _ := p.subject(0, "erase", "--courier", p.courier.ID)
	if !strings.Contains(said, ": 0 left") {
		t.Errorf("it said %s", said)
	}
	after := p.everything()
	if found := finds(after, slices.Concat(person, places)...); len(found) != 0 {
		t.Errorf("left are %v", found)
	}
	for _, name := range keysOf(t, p.hot()) {
		if kind := key.Kind(name); strings.Contains(name, p.courier.ID) && (kind == "courier" || kind == "session") {
			t.Errorf("left is %s", name)
		}
	}
	if found := finds(after, stayingName, stayingAddress, guestAddress, "'Sam'", p.courier.ID); len(found) != 5 {
		t.Errorf("of others and of the books only %v is left", found)
	}
	call(t, "GET", p.url+"/v1/courier/deliveries", p.courier.Token, nil, nil, 401)
	var delivery struct{ Courier struct{ Name string } }
	call(t, "GET", p.url+"/v1/deliveries/"+p.delivered.ID, p.merchantKey, nil, &delivery, 200)
	if delivery.Courier.Name != "erased" {
		t.Errorf("the merchant is told of %+v", delivery)
	}
	// Something comes back: it is found, and erased when it is asked for again.
	_, err = p.store.Store(t.Context(), []tracking.Batch{{CourierID: id, Session: "late", ReceivedAt: time.Now(), Fixes: []tracking.Fix{{Seq: 1, Position: tracking.Position{RecordedAt: time.Now(), Lat: 1, Lon: 2}}}}})
	must(t, err)
	if said, _ := p.subject(0, "erase", "--courier", p.courier.ID); !strings.Contains(said, ": 0 left") || !strings.Contains(said, "positions          1") {
		t.Errorf("again it said %s", said)
	}
}

func TestSubject_erase_recipient(t *testing.T) {
	t.Parallel()
	p := newPeople(t)
	person := []string{"Vogel", "Birdy", guestPhone, "555-0199", "Secret Street", "Ring twice"}
	places := slices.Concat(ways(doorPlace), ways(doorProof))
	if before := p.everything(); len(finds(before, person...)) != len(person) || len(finds(before, places...)) < 4 {
		t.Fatalf("beforehand there are only %v and %v", finds(before, person...), finds(before, places...))
	}
	exported, _ := p.subject(0, "export", "--phone", "+49 170 5550199")
	if found := finds(exported, "Vogel", "Secret Street", "555-0199", "37.7654321", `"positions`); len(found) != 4 || !json.Valid([]byte(exported)) {
		t.Errorf("exported is %v: %s", found, exported)
	}
	if _, said := p.subject(1, "erase", "--delivery", p.staying.ID); !strings.Contains(said, "not over") {
		t.Errorf("of one under way it said %q", said)
	}
	for words, want := range map[string]string{"--phone 12": "at least 6 digits", "--phone +1555000111222": "no delivery for them", "--delivery x": "not an id"} {
		if _, said := p.subject(1, append([]string{"erase"}, strings.Fields(words)...)...); !strings.Contains(said, want) {
			t.Errorf("%s: it said %q", words, said)
		}
	}
	// A colleague has written the name down elsewhere: the order's number says it too.
	_, err := p.pool.Exec(t.Context(), "UPDATE deliveries SET note = 'next door to mina \"birdy\" vogel' WHERE id = $1", p.staying.ID)
	must(t, err)
	_, problems := p.subject(1, "erase", "--phone", "0049170 5550199")
	if !strings.Contains(problems, "no delivery for them") {
		t.Errorf("of a number that is written with another prefix it said %q", problems)
	}
	said, _ := p.subject(1, "erase", "--phone", "49 170 555 01 99")
	if !strings.Contains(said, ": 2 left") || !strings.Contains(said, p.staying.ID) || strings.Contains(said, "Vogel") {
		t.Errorf("it said %s", said)
	}
	_, err = p.pool.Exec(t.Context(), "UPDATE deliveries SET note = '', external_id = CASE WHEN id = $1 THEN 'order-1' ELSE external_id END", p.delivered.ID)
	must(t, err)
	after := p.everything()
	if found := finds(after, slices.Concat(person, places)...); len(found) != 0 {
		t.Errorf("left are %v", found)
	}
	if found := finds(after, stayingName, stayingAddress, courierName, p.delivered.ID); len(found) != 4 {
		t.Errorf("of others and of the books only %v is left", found)
	}
	if said, _ := p.subject(0, "erase", "--delivery", p.delivered.ID); !strings.Contains(said, ": 0 left") {
		t.Errorf("again it said %s", said)
	}
}
