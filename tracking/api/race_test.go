//go:build race

package api

// raced: the race detector makes sync.Pool forget at random, so what is counted means nothing.
const raced = true
