//go:build linux

package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"hotfoot/cmd/hotfoot/bench/feed"
	"hotfoot/cmd/hotfoot/bench/rig"
	"hotfoot/cmd/hotfoot/bench/viewers"
	"hotfoot/cmd/hotfoot/client"
)

// check sends one position of a staged courier through the whole deployment and sees it arrive, and has the API read the delivery.
func check(ctx context.Context, r *rig.Rig) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	node, err := r.Serve(ctx, "api,gateway")
	if err != nil {
		return err
	}
	defer node.Stop()
	courier := r.Fleet[len(r.Fleet)-1]
	merchant := client.New("http://"+node.Address, r.MerchantKey)
	delivery, err := merchant.GetDelivery(ctx, courier.Delivery.String())
	if err != nil {
		return err
	}
	if delivery.Status != client.StatusEnRoute || delivery.Ver != 4 || delivery.TrackingToken != courier.Token {
		return fmt.Errorf("the API reads %+v", delivery)
	}
	set, err := viewers.NewSet(node.Address)
	if err != nil {
		return err
	}
	defer set.Close()
	if err := set.Open(ctx, []viewers.Target{{Path: "/v1/track/" + courier.Token + "/live"}}, 1); err != nil {
		return err
	}
	schedule, arrived := feed.NewSchedule(1), false
	set.Each = func(_ int, message []byte, read time.Time) {
		stamp, _ := viewers.Stamp(message)
		_, mine := schedule.Due(stamp, read)
		arrived = arrived || mine && viewers.KindOf(message) == viewers.Position
	}
	p := feed.Position(0, schedule.Began)
	reply, err := merchant.WithKey(courier.Key).PostPositions(ctx, "", []client.Position{{RecordedAt: p.RecordedAt, Lat: p.Lat, Lon: p.Lon}}, 0)
	if err != nil {
		return err
	}
	if len(reply.Receipts) != 1 || reply.Receipts[0].Result != client.ResultLive {
		return fmt.Errorf("a position was received as %+v", reply.Receipts)
	}
	if err := set.Run(ctx, func() bool { return arrived }); err != nil {
		return errors.Join(errors.New("a position did not arrive"), err)
	}
	return nil
}
