package tracking

// Filter narrows a merchant's deliveries. Zero fields do not.
type Filter struct {
	Statuses []Status
	Courier  ID
	Before   ID // only deliveries made before this one
	Limit    int
}

// Counts are a merchant's numbers of the moment.
type Counts struct {
	CouriersOnDuty, Active, Unassigned, Late, DeliveredToday int
}

// Nearby is a courier and how far away they are.
type Nearby struct {
	CourierID ID
	DistanceM float64
}
