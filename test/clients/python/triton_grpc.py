"""What only tritonclient.grpc does: streams, callbacks, deadlines, cancellation."""

import queue

from common import close

WAIT_S = 30


def checks_of(triton, client, models, tensor, fraud_row):
    def a_stream_in_order_with_an_error_in_it():
        got = queue.Queue()
        client.start_stream(lambda result, error: got.put((result, error)))
        for i in range(50):
            name = "nothing" if i == 5 else "fraud_detector"
            client.async_stream_infer(name, fraud_row(i % len(models.rows)), request_id=str(i))
        answers = [got.get(timeout=WAIT_S) for _ in range(50)]
        client.stop_stream()
        for i, (result, error) in enumerate(answers):
            if i == 5:
                assert error is not None and "nothing" in str(error), error
                continue
            assert error is None, error
            assert result.get_response().id == str(i), (i, result.get_response().id)
            row = i % len(models.rows)
            close("probabilities", result.as_numpy("probabilities"), models.probabilities[row : row + 1])

    def callbacks():
        got = queue.Queue()
        for i in range(30):
            client.async_infer(
                "fraud_detector",
                fraud_row(i % len(models.rows)),
                lambda result, error, row=i % len(models.rows): got.put((row, result, error)),
            )
        for _ in range(30):
            row, result, error = got.get(timeout=WAIT_S)
            assert error is None, error
            close("probabilities", result.as_numpy("probabilities"), models.probabilities[row : row + 1])

    def a_deadline():
        got = queue.Queue()
        client.async_infer(
            "spam",
            [tensor("text", models.texts, "BYTES")],
            lambda result, error: got.put(error),
            client_timeout=1e-6,
        )
        error = got.get(timeout=WAIT_S)
        assert error is not None and "DEADLINE_EXCEEDED" in str(error), error

    def a_cancelled_call():
        got = queue.Queue()
        call = client.async_infer(
            "spam", [tensor("text", models.texts, "BYTES")], lambda result, error: got.put((result, error))
        )
        call.cancel()
        result, error = got.get(timeout=WAIT_S)
        # It may have been answered by then.
        assert result is not None or "CANCELLED" in str(error).upper(), error
        assert client.is_server_ready()

    return [a_stream_in_order_with_an_error_in_it, callbacks, a_deadline, a_cancelled_call]
