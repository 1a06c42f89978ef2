<?php
// What every PHP program here does: read the letter (standard input, JSON), send, tell the outcome.
// `from` and `to` are [name, address]; the other members are plain.

function letter(): stdClass
{
    return json_decode(stream_get_contents(STDIN), false, 512, JSON_THROW_ON_ERROR);
}

// $send returns false, or throws, where the library says that the letter was not sent.
function answer(callable $send): void
{
    try {
        $sent = $send() !== false;
        $error = $sent ? null : error_get_last()['message'] ?? null;
    } catch (Throwable $thrown) {
        $sent = false;
        $error = $thrown->getMessage();
    }
    echo json_encode(['sent' => $sent, 'error' => $error], JSON_INVALID_UTF8_SUBSTITUTE);
}
