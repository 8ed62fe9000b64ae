package pytorch

import (
	"strings"
	"testing"
)

// Every function that PyTorch makes public is here, or says why not.
func TestCoverage(t *testing.T) {
	for _, c := range Coverage() {
		if len(c.Unexplained) > 0 {
			t.Errorf("%s: neither here nor explained: %s", c.Module, strings.Join(c.Unexplained, " "))
		}
		share := float64(len(c.Here)) / float64(len(c.Here)+len(c.Refused))
		if least := map[string]float64{"torch": 0.83, "torch.Tensor": 0.92, "torch.nn.functional": 0.97, "torch.linalg": 0.97, "torch.fft": 1, "torch.special": 1}[c.Module]; share < least {
			t.Errorf("%s: %.3f of the names are here, at least %.3f were", c.Module, share, least)
		}
	}
}
