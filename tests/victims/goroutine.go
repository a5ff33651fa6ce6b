// SPDX-License-Identifier: MIT

// A known chain of Go functions: directly called, through an interface, through a closure; or, with
// "switch", on the system's stack for a goroutine, whose frame there is a large one.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"sort"
)

//go:noinline
func pauseHere() {
	buffer := make([]byte, 1)
	os.Stdout.Write([]byte("."))
	os.Stdin.Read(buffer)
}

type runner interface{ run() int }
type deep struct{ depth int }

//go:noinline
func (d deep) run() int {
	if d.depth == 0 {
		numbers := []int{3, 1, 2}
		sort.Slice(numbers, func(a, b int) bool {
			pauseHere()
			return numbers[a] < numbers[b]
		})
		return numbers[0]
	}
	var next runner = deep{d.depth - 1}
	return next.run() + 1
}

//go:noinline
func shapeGo() int {
	return deep{5}.run() + 1
}

var heap = make([]byte, 1<<20)

// Writes for ever: nobody reads so much of it.
//
//go:noinline
func shapeSwitch() int {
	debug.WriteHeapDump(os.Stdout.Fd())
	return int(heap[0])
}

func init() {
	runtime.LockOSThread()
}

func main() {
	if os.Args[1] == "switch" {
		os.Exit(shapeSwitch())
	}
	os.Exit(shapeGo())
}
