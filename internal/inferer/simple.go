// Package inferer holds MONAI's inferers, which a lighter.System may predict with.
package inferer

import "github.com/lighter-go/lighter"

// Simple are the arguments of monai.inferers.SimpleInferer: none.
type Simple struct{}

func init() {
	lighter.Register[lighter.Inferer]("monai.inferers.SimpleInferer", Simple{}, "monai.inferers.inferer.SimpleInferer")
}

// Doc is the component's prose.
func (Simple) Doc() string { return "The network's output is the prediction, as without an inferer." }

// Build makes the inferer.
func (s Simple) Build(*lighter.Env) (lighter.Inferer, error) { return s, nil }

// Infer runs the network.
func (Simple) Infer(input lighter.Value, network func(lighter.Value) lighter.Value) lighter.Value {
	return network(input)
}
