package main

import "sync"

// heapFloor is how much a server may leave lying before the collector looks at it, in bytes, however little it holds: the collector waits until there is as
// much garbage as there is anything else, and a node that holds little and answers much would have it run again and again, in the way of whoever comes then. A
// gateway has none: its memory is counted in sockets, of which each would cost more.
const heapFloor = 64 << 20

// raiseHeapFloor is for commands that serve. What it makes, once, counts as held and is never touched, so the system never backs it with memory.
var raiseHeapFloor = sync.OnceValue(func() []byte { return make([]byte, heapFloor) })
