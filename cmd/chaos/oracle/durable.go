package oracle

// phone judges what one phone was told of its positions: I1, I8, and that it could empty its buffer.
func (c *court) phone(p *Phone) {
	stored := map[Point]int{}
	bySeq := map[Point][]Point{} // rows under one session and seq, whatever their time
	for _, row := range c.truth.Positions[p.Courier] {
		stored[row]++
		if row.Seq > 0 {
			key := Point{Session: row.Session, Seq: row.Seq}
			bySeq[key] = append(bySeq[key], row)
		}
	}
	made := make(map[Point]bool, len(p.Made))
	owed, rejected := p.owed()
	for _, point := range p.Made {
		made[point] = true
		rows := stored[point]
		if point.Seq > 0 {
			rows = len(bySeq[Point{Session: point.Session, Seq: point.Seq}])
		}
		switch {
		case rejected[point] && stored[point] > 0:
			c.blame("I1", Wrong, p.Name, "session %q seq %d of %s was rejected, and yet Postgres has it", point.Session, point.Seq, clock(point.RecordedAt))
		case owed[point] && stored[point] == 0 && !c.facts.lostPoint(p, point):
			c.blame("I1", Lost, p.Name, "session %q seq %d of %s was acknowledged as durable (%s); Postgres has %d rows of that seq, none of that time",
				point.Session, point.Seq, clock(point.RecordedAt), p.ackOf(point), rows)
		case rows > 1:
			c.blame("I1", Duplicated, p.Name, "session %q seq %d of %s is in Postgres %d times", point.Session, point.Seq, clock(point.RecordedAt), rows)
		}
	}
	for row := range stored {
		if !made[row] {
			c.blame("I1", Wrong, p.Name, "Postgres has session %q seq %d of %s, which the phone never sent", row.Session, row.Seq, clock(row.RecordedAt))
		}
	}
	c.replies(p)
	if len(p.Left) > 0 {
		last := Reply{}
		if len(p.Replies) > 0 {
			last = p.Replies[len(p.Replies)-1]
		}
		c.blame("I8", Wrong, p.Name, "stuck queue: %d positions, the first of them session %q seq %d, could not be made durable after the faults were over; "+
			"the last answer was accepted_seq %d, durable_seq %d, resend_from %d", len(p.Left), p.Left[0].Session, p.Left[0].Seq, last.Accepted, last.Durable, last.ResendFrom)
	}
}

// replies judges durable_seq over time. After an outage of Redis it may be answered lower than before, and the phone goes by the highest; but what it
// was told is durable it may have forgotten, and must not be asked for.
func (c *court) replies(p *Phone) {
	durable, eras := map[string]int64{}, map[string]int{}
	for _, r := range p.Replies {
		era, settled := c.facts.era(r.At)
		if era != eras[r.Session] || !settled {
			durable[r.Session], eras[r.Session] = 0, era // history was rewritten, and nodes hear of it one by one
		}
		before := durable[r.Session]
		at := r.At.UTC().Format("15:04:05.000")
		if r.Accepted < r.Durable {
			c.blame("I8", Wrong, p.Name, "session %q: accepted_seq %d is below durable_seq %d at %s", r.Session, r.Accepted, r.Durable, at)
		}
		if r.ResendFrom > 0 && r.ResendFrom <= max(before, r.Durable) {
			c.blame("I8", Wrong, p.Name, "session %q: asked to resend from %d at %s, though %d was durable", r.Session, r.ResendFrom, at, max(before, r.Durable))
		}
		if settled {
			durable[r.Session] = max(before, r.Durable)
		}
	}
}

// ackOf quotes the first reply that made a point durable.
func (p *Phone) ackOf(point Point) string {
	for _, r := range p.Replies {
		if r.Session == point.Session && point.Seq > 0 && point.Seq <= r.Durable {
			return "durable_seq " + itoa(r.Durable) + " at " + r.At.UTC().Format("15:04:05.000")
		}
		if r.Durable200 {
			for _, sent := range r.Sent {
				if sent == point {
					return "200 at " + r.At.UTC().Format("15:04:05.000")
				}
			}
		}
	}
	return "never"
}

// statuses judges acknowledged statuses: I1.
func (c *court) statuses() {
	type once struct{ delivery, event string }
	stored := map[once][]StoredEvent{}
	for delivery, events := range c.truth.Events {
		for _, e := range events {
			if e.EventID != "" {
				key := once{delivery, e.EventID}
				stored[key] = append(stored[key], e)
			}
		}
	}
	for key, events := range stored {
		if len(events) > 1 {
			c.blame("I1", Duplicated, "delivery "+key.delivery, "client_event_id %s is in Postgres %d times", key.event, len(events))
		}
	}
	answered := map[once]int64{}
	for _, a := range c.facts.Acks {
		if c.facts.lostAck(a) {
			continue
		}
		who := a.Who + " of delivery " + a.Delivery
		at := a.At.UTC().Format("15:04:05.000")
		if got := c.truth.statusAt(a.Delivery, a.Ver); got != a.Status {
			c.blame("I1", Lost, who, "ver %d %s (%s) was acknowledged at %s; Postgres has %q there and ends at ver %d",
				a.Ver, a.Status, a.EventID, at, got, c.truth.Deliveries[a.Delivery].Ver)
			continue
		}
		if a.EventID == "" {
			continue
		}
		key := once{a.Delivery, a.EventID}
		if before, ok := answered[key]; ok && before != a.Ver {
			c.blame("I1", Duplicated, who, "%s was answered with ver %d and again with ver %d", a.EventID, before, a.Ver)
		}
		answered[key] = a.Ver
		if len(stored[key]) == 0 || stored[key][0].Ver != a.Ver {
			c.blame("I1", Lost, who, "%s was acknowledged as ver %d at %s; Postgres has it as %v", a.EventID, a.Ver, at, stored[key])
		}
	}
}

// versions judges Postgres itself: I8.
func (c *court) versions() {
	for id, d := range c.truth.Deliveries {
		events := c.truth.Events[id]
		for i, e := range events {
			if e.Ver != int64(i)+1 {
				c.blame("I8", Disordered, "delivery "+id, "Postgres has ver %d in place %d", e.Ver, i+1)
				break
			}
		}
		if len(events) == 0 || events[len(events)-1].Ver != d.Ver || events[len(events)-1].Status != d.Status {
			c.blame("I8", Wrong, "delivery "+id, "Postgres has the delivery at ver %d %s, and %d events", d.Ver, d.Status, len(events))
		}
	}
}
