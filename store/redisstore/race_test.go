//go:build race

package redisstore_test

// raced: under the race detector everything is slower, so what is timed means nothing.
const raced = true
