//go:build race

package gateway_test

// raced: under the race detector everything is larger, so what is counted means nothing.
const raced = true
