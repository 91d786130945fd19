package web

import (
	"math"
	"strconv"
	"time"
)

// narrator says in words what a snapshot means. src/customer/phrases.ts is its twin for everything that happens later;
// test/phrases.json keeps the two saying the same.
type narrator struct {
	*catalogue
	snapshot *snapshot
	now      time.Time
	location *time.Location
}

// names fills every placeholder that stands for somebody.
func (n narrator) names(more ...string) []string {
	courier, courierObj := n.text("courier.someone"), n.text("courier.someone_obj")
	if c := n.snapshot.Courier; c != nil && c.Name != "" {
		courier, courierObj = c.Name, c.Name
	}
	merchant, merchantObj := n.text("merchant.someone"), n.text("merchant.someone_obj")
	if name := n.snapshot.Merchant.Name; name != "" {
		merchant, merchantObj = name, name
	}
	return append(more, "courier", courier, "courier_obj", courierObj, "merchant", merchant, "merchant_obj", merchantObj)
}

func (n narrator) say(key string, more ...string) string { return n.text(key, n.names(more...)...) }

// headline is the one sentence that is the largest thing on the page.
func (n narrator) headline() string {
	s := n.snapshot
	switch s.Status {
	case "assigned", "picked_up", "en_route", "arriving":
		if s.ETA != nil {
			return n.text("headline.eta", "eta", n.eta())
		}
	case "delivered":
		return n.text("headline.delivered", "time", n.clock(s.last().At))
	}
	return n.say("headline." + s.Status)
}

// eta is an arrival range the way people say it: precise when near, in fives when far, by the clock after an hour.
func (n narrator) eta() string {
	low, high := n.snapshot.ETA.Low.Sub(n.now).Minutes(), n.snapshot.ETA.High.Sub(n.now).Minutes()
	middle := (low + high) / 2
	switch {
	case high < -1:
		return n.text("eta.overdue")
	case high <= 2:
		return n.text("eta.now")
	case middle > 60:
		five := 5 * time.Minute
		from, to := n.snapshot.ETA.Low.Truncate(five), n.snapshot.ETA.High.Add(five-time.Nanosecond).Truncate(five)
		return n.text("eta.clock", "from", n.clock(from), "to", n.clock(to))
	case middle >= 15 && high-low <= 10:
		return n.text("eta.about", "minutes", whole(5*math.Round(middle/5)))
	case middle >= 15:
		return n.text("eta.range", "low", whole(5*math.Floor(low/5)), "high", whole(5*math.Ceil(high/5)))
	}
	from, to := math.Max(1, math.Floor(low)), math.Ceil(high)
	return n.text("eta.range", "low", whole(from), "high", whole(to))
}

// details are the lines under the headline: who, how far, why nobody is shown, what comes next.
func (n narrator) details() []string {
	s := n.snapshot
	last := s.last()
	switch s.Status {
	case "delivered":
		var lines []string
		if last.Proof != nil && last.Proof.LeftAt != "" {
			lines = append(lines, n.text("detail.left_at", "place", last.Proof.LeftAt))
		}
		if last.Proof != nil && last.Proof.Name != "" {
			lines = append(lines, n.text("detail.received_by", "name", last.Proof.Name))
		}
		return append(lines, n.say("detail.delivered"))
	case "failed", "cancelled", "returned":
		var lines []string
		if last.Reason != "" {
			lines = append(lines, n.text("detail.reason", "reason", last.Reason))
		}
		return append(lines, n.say("detail."+s.Status))
	case "created", "assigned":
		return []string{n.say("detail." + s.Status)}
	}
	return n.underway()
}

func (n narrator) underway() []string {
	s := n.snapshot
	var lines []string
	stops := -1
	if s.StopsBefore != nil {
		stops = *s.StopsBefore
	}
	if stops > 0 {
		lines = append(lines, n.count("detail.stops", stops, n.names()...))
	}
	switch {
	case s.Status == "picked_up":
		return append(lines, n.say("detail.picked_up"))
	case !s.Visible && s.Why == "off":
		return append(lines, n.say("detail.off"))
	case !s.Visible && stops == 0:
		// There is but one reason left: this merchant shows its couriers when they arrive.
		return append(lines, n.say("detail.not_arriving"))
	case !s.Visible:
		return append(lines, n.say("detail.not_yet"))
	case stops > 0:
		return lines
	case s.Status == "arriving":
		return []string{n.text("detail.arriving")}
	case stops == 0:
		return []string{n.say("detail.next")}
	}
	return []string{n.text("detail.en_route")}
}

// late says plainly that the promise is or will be broken, or nothing.
func (n narrator) late() string {
	s := n.snapshot
	if s.Window == nil || s.final() || s.Status == "failed" {
		return ""
	}
	switch {
	case n.now.After(s.Window.To):
		return n.text("late.now", "window", n.window())
	case s.ETA != nil && s.ETA.At.After(s.Window.To):
		return n.text("late.soon", "window", n.window())
	}
	return ""
}

func (n narrator) window() string {
	if n.snapshot.Window == nil {
		return ""
	}
	from, to := n.snapshot.Window.From.In(n.location), n.snapshot.Window.To.In(n.location)
	return n.day(from) + from.Format("15:04") + "–" + n.clock(to)
}

// courier is who brings it and how; nobody before one is chosen, and nobody again once it is over.
func (n narrator) courier() string {
	c := n.snapshot.Courier
	switch {
	case c == nil || c.Name == "" || n.snapshot.final():
		return ""
	case c.Vehicle == "":
		return c.Name
	}
	return n.text("courier.with", "courier", c.Name, "vehicle", n.text("vehicle."+c.Vehicle))
}

func (n narrator) clock(at time.Time) string {
	// The zone is named because the server cannot know the reader's; the script takes it away again.
	return at.In(n.location).Format("15:04 MST")
}

func (n narrator) day(at time.Time) string {
	today := n.now.In(n.location)
	for key, offset := range map[string]int{"day.today": 0, "day.tomorrow": 1, "day.yesterday": -1} {
		if at.Format(time.DateOnly) == today.AddDate(0, 0, offset).Format(time.DateOnly) {
			return n.text(key) + " "
		}
	}
	return at.Format(time.DateOnly) + " "
}

func whole(f float64) string { return strconv.Itoa(int(f)) }
