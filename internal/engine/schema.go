package engine

import "github.com/lighter-go/lighter/internal/registry"

// Schema is the JSON Schema of configurations, with the components of this program.
func Schema() ([]byte, error) { return registry.Schema(roots...) }
