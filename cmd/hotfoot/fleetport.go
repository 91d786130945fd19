package main

import (
	"hotfoot/gateway"
	"hotfoot/store/postgres"
	"hotfoot/store/redisstore"
)

// fleetPort reads a live map's fleet: who and what from the truth, where from the hot store.
type fleetPort struct {
	*postgres.Store
	hot
}

type hot = *redisstore.Store

var _ gateway.Staff = fleetPort{}
