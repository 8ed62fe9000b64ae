package native

import (
	_ "embed"
	"fmt"
	"hash/crc32"
)

//go:embed check.jpg
var checkFile []byte

// checkSum is what Pillow's pixels of check.jpg, an RGB picture of 4:2:0, sum up to.
const checkSum = 0xccb36b70

// Check says whether JPEG files are decoded to Pillow's pixels.
func Check() error {
	h, err := ReadHead(checkFile)
	if err != nil {
		return err
	}
	pix := make([]byte, h.Width*h.Height*h.Bands)
	if err := Decode(checkFile, 0, 0, h.Height, h.Width, pix); err != nil {
		return err
	}
	if sum := crc32.ChecksumIEEE(pix); sum != checkSum {
		return fmt.Errorf("a JPEG picture has other pixels than Pillow's: the sum is %x, not %x", sum, uint32(checkSum))
	}
	return nil
}
