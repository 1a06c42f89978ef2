<?php
// PHPMailer: `mail` is isMail(), by PHP's mail(); `sendmail` isSendmail(), by a command of its own.
require __DIR__ . '/letter.php';
require '/usr/share/php/libphp-phpmailer/autoload.php';

$letter = letter();
$mailer = new PHPMailer\PHPMailer\PHPMailer(true);
$argv[1] === 'mail' ? $mailer->isMail() : $mailer->isSendmail();
$mailer->CharSet = 'UTF-8';
$mailer->setFrom($letter->from[1], $letter->from[0]);
if (isset($letter->bounce)) {
    $mailer->Sender = $letter->bounce;
}
$mailer->addAddress($letter->to[1], $letter->to[0]);
$mailer->addCC($letter->cc);
foreach ((array) $letter->bcc as $address) {
    $mailer->addBCC($address);
}
$mailer->Subject = $letter->subject;
$mailer->Body = $letter->text;
if (isset($letter->html)) {
    $mailer->isHTML();
    $mailer->Body = $letter->html;
    $mailer->AltBody = $letter->text;
}
answer(fn () => $mailer->send());
