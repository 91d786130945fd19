package trackingtest_test

import (
	"testing"
	"time"

	"hotfoot/store/postgres"
	"hotfoot/store/storetest"
	"hotfoot/tracking"
	"hotfoot/tracking/trackingtest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestMemory(t *testing.T) {
	t.Parallel()
	trackingtest.Ledger(t, func(t *testing.T) trackingtest.Shop {
		m := trackingtest.NewMemory()
		return open(m, tracking.NewID(), tracking.NewID(), func(c tracking.Courier) { m.Hire(c) })
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	trackingtest.Ledger(t, func(t *testing.T) trackingtest.Shop {
		store := postgres.New(storetest.Postgres(t), nil)
		mine, err := store.Merchant(t.Context(), "Mine", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		other, err := store.Merchant(t.Context(), "Other", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return open(store, mine.ID, other.ID, func(c tracking.Courier) {
			key, _ := tracking.NewKey(c.MerchantID, tracking.RoleCourier, c.ID, "")
			if err := store.CreateCourier(t.Context(), c, key); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func open(ledger tracking.Ledger, mine, other tracking.ID, hire func(tracking.Courier)) trackingtest.Shop {
	courier := func(merchant tracking.ID, name string) tracking.Actor {
		c := tracking.Courier{ID: tracking.NewID(), MerchantID: merchant, Name: name, Vehicle: tracking.Bike, Rev: 1, CreatedAt: time.Now()}
		hire(c)
		return tracking.Actor{Role: tracking.RoleCourier, MerchantID: merchant, CourierID: c.ID, KeyID: tracking.NewID()}
	}
	return trackingtest.Shop{
		Ledger: ledger, Office: tracking.Actor{Role: tracking.RoleMerchant, MerchantID: mine, KeyID: tracking.NewID()},
		Sam: courier(mine, "Sam"), Max: courier(mine, "Max"), Stranger: courier(other, "Kim"),
	}
}
