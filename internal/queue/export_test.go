package queue

import "time"

// RetryDelay is how long a task waits that failed n times.
func RetryDelay(n int) time.Duration { return retryDelay(n, nil, nil) }
