package tracking

import (
	"testing"
	"time"
)

func TestMerchant_Validate(t *testing.T) {
	t.Parallel()
	good := Merchant{VisibleStops: 2, VisibleFrom: EnRoute}
	for _, change := range []func(*Merchant){
		func(*Merchant) {}, func(m *Merchant) { m.VisibleStops = 0 }, func(m *Merchant) { m.VisibleStops = 50 }, func(m *Merchant) { m.VisibleFrom = Arriving },
		func(m *Merchant) { m.RoundingM = 50 }, func(m *Merchant) { m.RoundingM = 5000 }, func(m *Merchant) { m.Delay = 5 * time.Minute },
	} {
		m := good
		if change(&m); m.Validate() != nil {
			t.Errorf("%+v: %v", m, m.Validate())
		}
	}
	for field, changes := range map[string][]func(*Merchant){
		"visible_stops": {func(m *Merchant) { m.VisibleStops = -1 }, func(m *Merchant) { m.VisibleStops = 51 }},
		"visible_from":  {func(m *Merchant) { m.VisibleFrom = "" }, func(m *Merchant) { m.VisibleFrom = PickedUp }},
		"rounding_m":    {func(m *Merchant) { m.RoundingM = 49 }, func(m *Merchant) { m.RoundingM = 5001 }, func(m *Merchant) { m.RoundingM = -50 }},
		"delay_s":       {func(m *Merchant) { m.Delay = -time.Second }, func(m *Merchant) { m.Delay = MaxDelay + time.Second }, func(m *Merchant) { m.Delay = time.Millisecond }},
	} {
		for _, change := range changes {
			m := good
			change(&m)
			if err := m.Validate(); CodeOf(err) != CodeInvalid || err.(*Error).Fields[0].Path != field {
				t.Errorf("%+v: %v, want %s refused", m, err, field)
			}
		}
	}
}
