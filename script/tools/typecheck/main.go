// Command typecheck checks the types of all packages below a folder, tests too, as they are for another system. It reads sources and compiles nothing, so that
// it takes seconds where go vet, which needs everything compiled for that system, takes a minute.
//
//	typecheck GOOS FOLDER
package main

import (
	"fmt"
	"os"

	"golang.org/x/tools/go/packages"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: typecheck GOOS FOLDER")
	}
	found, err := packages.Load(&packages.Config{
		// Not NeedTypesInfo, with which what functions do would be checked in libraries too.
		Mode: packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps |
			packages.NeedTypes | packages.NeedTypesSizes | packages.NeedSyntax,
		Dir:   os.Args[2],
		Env:   append(os.Environ(), "GOOS="+os.Args[1], "CGO_ENABLED=0"),
		Tests: true,
	}, "./...")
	switch {
	case err != nil:
		fail(err)
	case len(found) == 0:
		fail("there are no packages below " + os.Args[2])
	case packages.PrintErrors(found) > 0:
		os.Exit(1)
	}
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, "typecheck:", why)
	os.Exit(1)
}
