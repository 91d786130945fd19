package redisstore

// Near says how many results are in memory.
func (r *Results) Near() int { return r.near.EstimatedSize() }
