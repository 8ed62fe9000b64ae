// Command csv reads a table into tensors: csv FILE TIMES.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/lighter-go/lighter"
	_ "github.com/lighter-go/lighter/internal/data/files"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: csv FILE TIMES")
		os.Exit(2)
	}
	times, err := strconv.Atoi(os.Args[2])
	for range times {
		if err == nil {
			err = read(os.Args[1])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "csv:", err)
		os.Exit(1)
	}
}

func read(path string) error {
	s := tensor.Open()
	defer s.Close()
	_, err := registry.New[lighter.Dataset]("lighter.datasets.CSV", &registry.Env{}, map[string]any{"path": path})
	return err
}
