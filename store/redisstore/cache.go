package redisstore

// cache is an otter.Cache. Were it one by its type, every package that knows a type which holds it, such as a Store, would compile all of the library once
// more for each kind of entry.
type cache[K comparable, V any] interface {
	GetIfPresent(key K) (V, bool)
	Set(key K, value V) (V, bool)
	Invalidate(key K) (V, bool)
	InvalidateAll()
	StopAllGoroutines() bool
}
