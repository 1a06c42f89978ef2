<?php
// Calls mail() with what the request says, and answers with what the program would see.
$call = json_decode(file_get_contents($argv[1] ?? 'php://input'), true, 512, JSON_THROW_ON_ERROR);
$sent = mail(...$call);
echo json_encode(['sent' => $sent, 'error' => error_get_last()['message'] ?? null]);
