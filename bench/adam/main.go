// Command adam takes steps of Adam over 200 small tensors: adam STEPS.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/lighter-go/lighter"
	_ "github.com/lighter-go/lighter/internal/optim"
	"github.com/lighter-go/lighter/internal/registry"
	"github.com/lighter-go/lighter/tensor"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: adam STEPS")
		os.Exit(2)
	}
	steps, err := strconv.Atoi(os.Args[1])
	if err == nil {
		err = run(steps)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "adam:", err)
		os.Exit(1)
	}
}

func run(steps int) (err error) {
	s := tensor.Open()
	defer s.Close()
	defer tensor.Recover(&err)
	var params []any
	for range 200 {
		p := tensor.Zeros([]int64{16, 16}, tensor.Float32, tensor.Device{}).SetRequiresGrad(true)
		p.Sum(tensor.Float32).Backward()
		params = append(params, p)
	}
	o, err := registry.New[lighter.Optimizer]("torch.optim.Adam", &registry.Env{}, map[string]any{"params": params})
	if err != nil {
		return err
	}
	for range steps {
		o.Step()
	}
	return nil
}
