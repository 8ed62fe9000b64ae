// Command lighter trains neural networks from a YAML file.
//
// A program that knows components of your own is a copy of this file that imports their packages as well:
//
//	import (
//		"github.com/lighter-go/lighter/cli"
//
//		_ "example.com/you/layers" // registers its components
//	)
package main

import "github.com/lighter-go/lighter/cli"

func main() { cli.Main() }
