package vision

import "fmt"

// says is an error in torchvision's words, which begin with a capital and may end with a full stop.
func says(format string, args ...any) error { return fmt.Errorf(format, args...) }
