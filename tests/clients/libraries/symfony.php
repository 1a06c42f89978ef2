<?php
// Symfony Mailer with the DSN that is the first argument. The letter's `senders` send it one after
// the other, with the same mailer, and go on after a failure.
require __DIR__ . '/letter.php';
require '/usr/share/php/Symfony/Component/Mailer/autoload.php';

use Symfony\Component\Mailer\Exception\TransportExceptionInterface;
use Symfony\Component\Mailer\Mailer;
use Symfony\Component\Mailer\Transport;
use Symfony\Component\Mime\Address;
use Symfony\Component\Mime\Email;

$letter = letter();
$mailer = new Mailer(Transport::fromDsn($argv[1]));
answer(function () use ($letter, $mailer) {
    $failed = null;
    foreach ($letter->senders ?? [$letter->from[1]] as $sender) {
        $email = (new Email())
            ->from(new Address($sender, $letter->from[0]))
            ->to(new Address($letter->to[1], $letter->to[0]))
            ->cc($letter->cc)
            ->bcc($letter->bcc)
            ->subject($letter->subject)
            ->text($letter->text);
        if (isset($letter->html)) {
            $email->html($letter->html);
        }
        try {
            $mailer->send($email);
        } catch (TransportExceptionInterface $failed) {
        }
    }
    if ($failed) {
        throw $failed;
    }
});
