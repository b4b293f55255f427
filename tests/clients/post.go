// Posts its arguments' first file to the second, three times, over one connection; prints the statuses.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	body, _ := os.ReadFile(os.Args[1])
	for n := 0; n < 3; n++ {
		answer, err := http.Post(os.Args[2], "application/json", bytes.NewReader(body))
		if err != nil {
			fmt.Println(err)
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
}
