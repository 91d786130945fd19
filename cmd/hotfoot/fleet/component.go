package fleet

// largestComponent marks the nodes of the largest set in which each can be reached from each (Kosaraju: a node's set
// are the nodes that lead to it among those found after it). Elsewhere a courier would drive in and never come out.
func largestComponent(nodes int, roads []road) []bool {
	forward := adjacency(nodes, roads, func(r road) (int32, int32) { return r.from, r.to })
	backward := adjacency(nodes, roads, func(r road) (int32, int32) { return r.to, r.from })

	order := make([]int32, 0, nodes)
	visited := make([]bool, nodes)
	for n := range int32(nodes) {
		order = forward.finish(n, visited, order)
	}
	var largest []int32
	clear(visited)
	for i := nodes - 1; i >= 0; i-- {
		if part := backward.finish(order[i], visited, nil); len(part) > len(largest) {
			largest = part
		}
	}
	keep := make([]bool, nodes)
	for _, n := range largest {
		keep[n] = true
	}
	return keep
}

type neighbours struct {
	first []int32
	to    []int32
}

func adjacency(nodes int, roads []road, ends func(road) (from, to int32)) neighbours {
	turned := make([]road, len(roads))
	for i, r := range roads {
		turned[i].from, turned[i].to = ends(r)
	}
	a := neighbours{first: offsets(nodes, turned), to: make([]int32, len(roads))}
	free := append([]int32(nil), a.first...)
	for _, r := range turned {
		a.to[free[r.from]] = r.to
		free[r.from]++
	}
	return a
}

// finish appends the nodes reachable from start that were not visited, each after those reached through it. It keeps
// its own stack: streets are long, and recursion would go as deep.
func (a neighbours) finish(start int32, visited []bool, order []int32) []int32 {
	if visited[start] {
		return order
	}
	type frame struct{ node, next int32 }
	visited[start] = true
	stack := []frame{{start, a.first[start]}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.next == a.first[top.node+1] {
			order = append(order, top.node)
			stack = stack[:len(stack)-1]
			continue
		}
		to := a.to[top.next]
		top.next++
		if !visited[to] {
			visited[to] = true
			stack = append(stack, frame{to, a.first[to]})
		}
	}
	return order
}
